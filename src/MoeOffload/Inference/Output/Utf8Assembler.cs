using System.Buffers;
using System.Text;

namespace MoeOffload.Inference.Output;

/// <summary>Assembles the bytes of successive tokens to complete code points.</summary>
internal sealed class Utf8Assembler
{
    private const int MaxPending = 3;

    private readonly byte[] _pending = new byte[MaxPending];
    private int _count;

    /// <summary>Returns the text that a token completes.</summary>
    public ReadOnlyMemory<byte> Append(ReadOnlyMemory<byte> piece, bool isWhole) =>
        isWhole && _count == 0 ? piece : Join(piece.Span);

    /// <summary>Returns the rest at the end of a stream: U+FFFD for bytes that were never completed.</summary>
    public ReadOnlyMemory<byte> Flush()
    {
        bool incomplete = _count > 0;
        _count = 0;
        return incomplete ? "\uFFFD"u8.ToArray() : ReadOnlyMemory<byte>.Empty;
    }

    private byte[] Join(ReadOnlySpan<byte> piece)
    {
        byte[] joined = [.. _pending.AsSpan(0, _count), .. piece];
        var text = new ArrayBufferWriter<byte>(joined.Length + 2);
        ReadOnlySpan<byte> rest = joined;
        _count = 0;
        while (!rest.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(rest, out Rune rune, out int used);
            if (status == OperationStatus.NeedMoreData)
            {
                rest.CopyTo(_pending);
                _count = rest.Length;
                break;
            }

            // An invalid sequence decodes to U+FFFD.
            text.Advance(rune.EncodeToUtf8(text.GetSpan(4)));
            rest = rest[used..];
        }

        return text.WrittenSpan.ToArray();
    }
}

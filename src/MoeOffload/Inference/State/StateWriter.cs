using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using MoeOffload.Inference.Running;
using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>
/// Writes a state: the magic number, the format version, the identity, the sequences, and a SHA-256 checksum of all of it. Numbers are
/// little-endian.
/// </summary>
internal sealed class StateWriter : IDisposable
{
    /// <summary>Gets the first bytes of every state.</summary>
    public static ReadOnlySpan<byte> Magic => "MOESTATE"u8;

    /// <summary>The version of the format.</summary>
    public const int Version = 1;

    private const int ChunkSize = 1 << 20;

    private readonly Stream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);

    private StateWriter(Stream stream) => _stream = stream;

    /// <summary>Writes sequences.</summary>
    public static async Task WriteAsync(
        Stream stream, StateIdentity identity, IReadOnlyList<SavedSequence> sequences, CancellationToken cancellationToken)
    {
        using var writer = new StateWriter(stream);
        await writer.WriteAsync(Head(identity, sequences.Count), cancellationToken).ConfigureAwait(false);
        foreach (SavedSequence sequence in sequences)
        {
            await writer.WriteAsync(Head(sequence), cancellationToken).ConfigureAwait(false);
            await writer.WriteAsync(sequence.Data, cancellationToken).ConfigureAwait(false);
        }

        await stream.WriteAsync(writer._hash.GetHashAndReset(), cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_chunk);
        _hash.Dispose();
    }

    private static byte[] Head(StateIdentity identity, int sequences)
    {
        byte[] lines = identity.Encode();
        byte[] head = new byte[Magic.Length + (3 * sizeof(int)) + lines.Length];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), lines.Length);
        lines.CopyTo(head, 16);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(16 + lines.Length), sequences);
        return head;
    }

    private static byte[] Head(SavedSequence sequence)
    {
        byte[] head = new byte[sizeof(int) + sizeof(long) + (sequence.Tokens.Length * sizeof(int))];
        BinaryPrimitives.WriteInt32LittleEndian(head, sequence.Tokens.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(4), sequence.Data.Length);
        Span<byte> tokens = head.AsSpan(12);
        for (int i = 0; i < sequence.Tokens.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(tokens[(i * sizeof(int))..], sequence.Tokens[i]);
        }

        return head;
    }

    private async Task WriteAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        _hash.AppendData(bytes);
        await _stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteAsync(NativeBuffer data, CancellationToken cancellationToken)
    {
        for (long offset = 0; offset < data.Length; offset += ChunkSize)
        {
            int length = (int)Math.Min(ChunkSize, data.Length - offset);
            data.Slice(offset, length).CopyTo(_chunk);
            _hash.AppendData(_chunk, 0, length);
            await _stream.WriteAsync(_chunk.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using MoeOffload.Inference.Running;
using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>
/// Reads the output of <see cref="StateWriter"/>. No sequence is returned before all of the state is read and its checksum verified,
/// because llama.cpp does not validate a sequence state.
/// </summary>
internal sealed class StateReader : IDisposable
{
    private const int ChunkSize = 1 << 20;
    private const int LongestIdentity = 1 << 16;
    private const int MostSequences = 1 << 16;

    private readonly Stream _stream;
    private readonly StateLimits _limits;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
    private readonly List<SavedSequence> _sequences = [];

    private StateReader(Stream stream, StateLimits limits)
    {
        _stream = stream;
        _limits = limits;
    }

    /// <summary>Reads sequences, which the caller must dispose.</summary>
    /// <exception cref="StateFormatException">The state is corrupt or truncated, or this session cannot load it.</exception>
    public static async Task<List<SavedSequence>> ReadAsync(
        Stream stream, StateIdentity identity, StateLimits limits, CancellationToken cancellationToken)
    {
        using var reader = new StateReader(stream, limits);
        try
        {
            await reader.ReadHeadAsync(identity, cancellationToken).ConfigureAwait(false);
            int count = await reader.ReadNumberAsync("sequences", 0, MostSequences, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < count; i++)
            {
                await reader.ReadSequenceAsync(cancellationToken).ConfigureAwait(false);
            }

            await reader.CheckHashAsync(cancellationToken).ConfigureAwait(false);
            return reader._sequences;
        }
        catch (Exception exception)
        {
            reader._sequences.ForEach(sequence => sequence.Dispose());
            if (exception is EndOfStreamException)
            {
                throw new StateFormatException("The state is truncated. Save it again.", exception);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_chunk);
        _hash.Dispose();
    }

    private static StateFormatException Damaged(string what) => new($"The state is damaged ({what}): save it again.");

    private async Task ReadHeadAsync(StateIdentity identity, CancellationToken cancellationToken)
    {
        Memory<byte> head = await ReadAsync(StateWriter.Magic.Length + sizeof(int), cancellationToken).ConfigureAwait(false);
        if (!head.Span.StartsWith(StateWriter.Magic))
        {
            throw new StateFormatException("The data is not a state that was saved by MoeOffload.");
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(head.Span[StateWriter.Magic.Length..]);
        if (version != StateWriter.Version)
        {
            throw new StateFormatException(
                $"The state has format version {version}, but this version of MoeOffload supports version {StateWriter.Version}. Process the prompt again.");
        }

        int length = await ReadNumberAsync("what it was saved with", 1, LongestIdentity, cancellationToken).ConfigureAwait(false);
        Memory<byte> lines = await ReadAsync(length, cancellationToken).ConfigureAwait(false);
        identity.Check(lines.Span);
    }

    private async Task ReadSequenceAsync(CancellationToken cancellationToken)
    {
        int count = await ReadNumberAsync("tokens of a sequence", 1, int.MaxValue, cancellationToken).ConfigureAwait(false);
        if (count > _limits.SequenceLength)
        {
            throw new StateFormatException(
                $"The state contains a sequence of {count} tokens, but the context has room for {_limits.SequenceLength}. Increase ContextOptions.ContextLength.");
        }

        Memory<byte> number = await ReadAsync(sizeof(long), cancellationToken).ConfigureAwait(false);
        long size = BinaryPrimitives.ReadInt64LittleEndian(number.Span);
        if (size <= 0 || size > _limits.MostBytes(count))
        {
            throw Damaged($"a sequence of {size} bytes");
        }

        int[] tokens = new int[count];
        for (int done = 0; done < count;)
        {
            int part = Math.Min(count - done, ChunkSize / sizeof(int));
            Memory<byte> bytes = await ReadAsync(part * sizeof(int), cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < part; i++)
            {
                tokens[done + i] = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[(i * sizeof(int))..]);
            }

            done += part;
        }

        if (Array.Exists(tokens, token => token < 0 || token >= _limits.VocabularySize))
        {
            throw Damaged("a token outside the vocabulary");
        }

        var data = new NativeBuffer(size);
        _sequences.Add(new SavedSequence(tokens, data));
        for (long offset = 0; offset < size; offset += ChunkSize)
        {
            Memory<byte> bytes = await ReadAsync((int)Math.Min(ChunkSize, size - offset), cancellationToken).ConfigureAwait(false);
            bytes.Span.CopyTo(data.Slice(offset, bytes.Length));
        }
    }

    private async Task CheckHashAsync(CancellationToken cancellationToken)
    {
        byte[] expected = _hash.GetHashAndReset();
        Memory<byte> found = await ReadAsync(expected.Length, cancellationToken).ConfigureAwait(false);
        if (!found.Span.SequenceEqual(expected))
        {
            throw Damaged("its checksum is wrong");
        }
    }

    private async Task<int> ReadNumberAsync(string what, int least, int most, CancellationToken cancellationToken)
    {
        Memory<byte> number = await ReadAsync(sizeof(int), cancellationToken).ConfigureAwait(false);
        int value = BinaryPrimitives.ReadInt32LittleEndian(number.Span);
        return value >= least && value <= most ? value : throw Damaged($"{what}: {value}");
    }

    private async Task<Memory<byte>> ReadAsync(int length, CancellationToken cancellationToken)
    {
        await _stream.ReadExactlyAsync(_chunk.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        _hash.AppendData(_chunk, 0, length);
        return _chunk.AsMemory(0, length);
    }
}

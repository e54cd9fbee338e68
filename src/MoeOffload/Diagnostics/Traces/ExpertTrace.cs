using System.Security.Cryptography;
using MoeOffload.Diagnostics.Traces;
using MoeOffload.Shared;

namespace MoeOffload.Diagnostics;

/// <summary>
/// Represents a trace: which experts the routers of a model chose for each token, as a session with <see cref="ContextOptions.TraceExperts"/> recorded it.
/// Reading it needs neither the model nor native libraries. Instances are immutable.
/// </summary>
public sealed class ExpertTrace
{
    // An array holds the whole trace, which is some hundred bytes for each token of a large model.
    private const long LargestFile = 1L << 30;

    private readonly byte[] _data;
    private readonly int _start;

    private ExpertTrace(byte[] data)
    {
        _data = data;
        var reader = new ExpertTraceReader(data);
        Model = reader.ReadModel();
        _start = reader.Position;
        long[] tokens = new long[Model.LayerCount];
        while (reader.ReadStep(Model) is { } step)
        {
            StepCount++;
            TokenCount += step.TokenCount;
            foreach (ExpertChoices choices in step.Choices)
            {
                tokens[choices.Layer] += choices.TokenCount;
            }
        }

        Layers = [.. Enumerable.Range(0, tokens.Length).Where(layer => tokens[layer] > 0)];
        if (reader.ReadEnd() != (StepCount, TokenCount))
        {
            throw ExpertTraceReader.Damaged("it has other numbers of steps and tokens than it says");
        }
    }

    /// <summary>Gets the model that the trace was recorded with.</summary>
    public ExpertTraceModel Model { get; }

    /// <summary>Gets the number of steps.</summary>
    public long StepCount { get; }

    /// <summary>Gets the number of tokens in all steps, including those of steps that were not computed to their end.</summary>
    public long TokenCount { get; }

    /// <summary>Gets the layers whose routers have chosen experts, in ascending order.</summary>
    public IReadOnlyList<int> Layers { get; }

    /// <summary>Loads a trace from a file. This method reads the whole file, and blocks until it has.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The trace, which is valid as a whole.</returns>
    /// <exception cref="TraceFormatException">The file is not a trace, is damaged or truncated, or has another version of the format.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    public static ExpertTrace Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = File.OpenRead(path);
        return Load(file);
    }

    /// <summary>Loads a trace from a stream. This method reads the stream to its end, and blocks until it has.</summary>
    /// <param name="source">The stream.</param>
    /// <returns>The trace, which is valid as a whole.</returns>
    /// <exception cref="TraceFormatException">The data is not a trace, is damaged or truncated, or has another version of the format.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static ExpertTrace Load(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        byte[] start = new byte[ExpertTraceFormat.StartLength];
        int read = ReadAtMost(source, start);
        CheckStart(start.AsSpan(0, read));
        using var all = new MemoryStream();
        all.Write(start);
        byte[] part = new byte[1 << 16];
        while ((read = source.Read(part, 0, part.Length)) > 0)
        {
            if (all.Length + read > LargestFile)
            {
                throw new TraceFormatException($"The trace is larger than {LargestFile >> 20} MiB. Record a shorter one.");
            }

            all.Write(part, 0, read);
        }

        return new ExpertTrace(CheckHash(all.ToArray()));
    }

    /// <summary>Loads a trace from a file without blocking the caller.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">A token that cancels waiting for the file.</param>
    /// <returns>The trace, which is valid as a whole.</returns>
    /// <inheritdoc cref="Load(string)" path="/exception"/>
    public static Task<ExpertTrace> LoadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return BackgroundCall.RunAsync(() => Load(path), cancellationToken);
    }

    /// <summary>Enumerates the steps in the order in which they were computed. Each step is decoded when it is reached.</summary>
    /// <returns>The steps.</returns>
    public IEnumerable<ExpertTraceStep> EnumerateSteps()
    {
        var reader = new ExpertTraceReader(_data);
        reader.GoTo(_start);
        while (reader.ReadStep(Model) is { } step)
        {
            yield return step;
        }
    }

    /// <summary>Counts how often each expert was chosen, as <see cref="GenerationSession.ExpertActivity"/> would have counted it.</summary>
    /// <returns>The counts.</returns>
    public ExpertActivity CountActivity()
    {
        long[] counts = new long[Model.LayerCount * Model.ExpertCount];
        long[] tokens = new long[Model.LayerCount];
        foreach (ExpertTraceStep step in EnumerateSteps())
        {
            foreach (ExpertChoices choices in step.Choices)
            {
                tokens[choices.Layer] += choices.TokenCount;
                for (int i = 0; i < choices.Count; i++)
                {
                    if (choices.At(i) is >= 0 and var expert)
                    {
                        counts[(choices.Layer * Model.ExpertCount) + expert]++;
                    }
                }
            }
        }

        return new ExpertActivity(Model.ExpertCount, counts, tokens);
    }

    private static void CheckStart(ReadOnlySpan<byte> start)
    {
        if (start.Length < ExpertTraceFormat.StartLength || !start.StartsWith(ExpertTraceFormat.Magic))
        {
            throw new TraceFormatException("The data is not a trace of experts. 'moe trace' and ContextOptions.TraceExperts record one.");
        }

        int version = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(start[ExpertTraceFormat.Magic.Length..]);
        if (version != ExpertTraceFormat.Version)
        {
            throw new TraceFormatException(
                $"The trace has format version {version}, but this version of MoeOffload supports version {ExpertTraceFormat.Version}. Record it again.");
        }
    }

    private static byte[] CheckHash(byte[] all)
    {
        int length = all.Length - ExpertTraceFormat.HashLength;
        if (length < ExpertTraceFormat.StartLength)
        {
            throw ExpertTraceReader.Damaged("its checksum is missing");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(all, 0, length);
        return hash.GetHashAndReset().AsSpan().SequenceEqual(all.AsSpan(length))
            ? all[..length]
            : throw ExpertTraceReader.Damaged("its checksum is wrong, or it is truncated");
    }

    private static int ReadAtMost(Stream source, byte[] buffer)
    {
        int total = 0;
        int read;
        while (total < buffer.Length && (read = source.Read(buffer, total, buffer.Length - total)) > 0)
        {
            total += read;
        }

        return total;
    }
}

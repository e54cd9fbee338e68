using System.Buffers.Binary;
using System.Text;

namespace MoeOffload.Diagnostics.Traces;

/// <summary>Reads the parts of a trace, and treats every byte as hostile.</summary>
/// <param name="data">The trace without its checksum.</param>
internal sealed class ExpertTraceReader(byte[] data)
{
    private int _at = ExpertTraceFormat.StartLength;

    /// <summary>Gets the position of the next byte.</summary>
    public int Position => _at;

    /// <summary>Goes to the first record, whose position is known.</summary>
    public void GoTo(int position) => _at = position;

    /// <summary>Reads the header.</summary>
    /// <exception cref="TraceFormatException">It is not valid.</exception>
    public ExpertTraceModel ReadModel()
    {
        int layers = ReadInt32("layers", 1, ExpertTraceFormat.MostLayers);
        int experts = ReadInt32("experts", 1, ExpertTraceFormat.MostExperts);
        int used = ReadInt32("experts for each token", 1, experts);
        string fingerprint = Convert.ToHexStringLower(Take(ExpertTraceFormat.HashLength).ToArray());
        string architecture = ReadText("architecture");
        string name = ReadText("name");
        long[] bytes = new long[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            bytes[layer] = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
            if (bytes[layer] is < 0 or > ExpertTraceFormat.LargestExpert)
            {
                throw Damaged($"an expert of {bytes[layer]} bytes in layer {layer}");
            }
        }

        return new ExpertTraceModel
        {
            Architecture = architecture,
            Name = name,
            Fingerprint = fingerprint,
            ExpertCount = experts,
            ExpertUsedCount = used,
            ExpertBytes = bytes,
        };
    }

    /// <summary>Reads the next step; null at the end of the records.</summary>
    /// <exception cref="TraceFormatException">A record is not valid.</exception>
    public ExpertTraceStep? ReadStep(ExpertTraceModel model)
    {
        List<ExpertChoices> choices = [];
        int most = 0;
        for (; ; )
        {
            byte tag = Take(1)[0];
            switch (tag)
            {
                case ExpertTraceFormat.ChoicesRecord:
                    choices.Add(ReadChoices(model));
                    most = Math.Max(most, choices[^1].TokenCount);
                    break;
                case ExpertTraceFormat.StepRecord:
                    int tokens = ReadNumber("tokens of a step", Math.Max(1, most), ExpertTraceFormat.MostTokens);
                    int outputs = ReadNumber("logits of a step", 0, tokens);
                    byte flags = Take(1)[0];
                    return flags <= ExpertTraceFormat.Incomplete
                        ? new ExpertTraceStep(tokens, outputs, flags == 0, choices)
                        : throw Damaged($"flags of a step: {flags}");
                case ExpertTraceFormat.EndRecord:
                    return choices.Count == 0 ? null : throw Damaged("choices without a step");
                default:
                    throw Damaged($"a record of the kind {tag}");
            }
        }
    }

    /// <summary>Reads the numbers of steps and tokens after the last record, and checks that nothing follows.</summary>
    /// <exception cref="TraceFormatException">Something follows.</exception>
    public (long Steps, long Tokens) ReadEnd()
    {
        long steps = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
        long tokens = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
        return _at == data.Length ? (steps, tokens) : throw Damaged("bytes after its end");
    }

    /// <summary>Makes the exception for a trace that is not valid.</summary>
    /// <param name="what">What is wrong with it.</param>
    public static TraceFormatException Damaged(string what) => new($"The trace is damaged ({what}): record it again.");

    private ExpertChoices ReadChoices(ExpertTraceModel model)
    {
        int layer = ReadNumber("layer", 0, model.LayerCount - 1);
        int tokens = ReadNumber("rows", 1, ExpertTraceFormat.MostTokens);
        int used = ReadNumber("experts of a row", 1, model.ExpertCount);
        int width = ExpertTraceFormat.WidthOf(model.ExpertCount);
        long length = (long)tokens * used * width;
        if (length > data.Length - _at)
        {
            throw Truncated();
        }

        var choices = new ExpertChoices(layer, tokens, used, width, data.AsMemory(_at, (int)length));
        for (int i = 0; i < choices.Count; i++)
        {
            if (choices.At(i) >= model.ExpertCount)
            {
                throw Damaged($"expert {choices.At(i)} of {model.ExpertCount}");
            }
        }

        _at += (int)length;
        return choices;
    }

    private string ReadText(string what)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));
        return length <= ExpertTraceFormat.LongestText ? Encoding.UTF8.GetString(Take(length)) : throw Damaged($"{what} of {length} bytes");
    }

    private int ReadInt32(string what, int least, int most)
    {
        int value = BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));
        return value >= least && value <= most ? value : throw Damaged($"{what}: {value}");
    }

    // 7 bits in each byte, the lowest first; the highest bit says that another byte follows.
    private int ReadNumber(string what, int least, int most)
    {
        long value = 0;
        int shift = 0;
        byte part;
        do
        {
            part = Take(1)[0];
            value |= (long)(part & 0x7F) << shift;
            shift += 7;
        }
        while (part > 0x7F && shift < 35);
        return part <= 0x7F && value >= least && value <= most ? (int)value : throw Damaged($"{what}: {value}");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > data.Length - _at)
        {
            throw Truncated();
        }

        ReadOnlySpan<byte> taken = data.AsSpan(_at, length);
        _at += length;
        return taken;
    }

    private static TraceFormatException Truncated() => new("The trace is truncated: record it again.");
}

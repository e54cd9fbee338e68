using System.Globalization;

namespace MoeOffload.Inference.Processors;

/// <summary>Parses lists of processors such as <c>0-3,8</c>, in the format of Linux (cpuset(7)).</summary>
internal static class ProcessorList
{
    private const int Most = 1 << 16;

    /// <summary>Parses a list. Parts that are not valid are ignored.</summary>
    public static HashSet<int> Parse(string list)
    {
        HashSet<int> processors = [];
        foreach (string part in list.Split(','))
        {
            ReadOnlySpan<char> range = part.AsSpan().Trim();
            int dash = range.IndexOf('-');
            if (TryParse(dash < 0 ? range : range[..dash], out int first) && TryParse(range[(dash + 1)..], out int last))
            {
                for (int processor = first; processor <= last; processor++)
                {
                    processors.Add(processor);
                }
            }
        }

        return processors;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out int processor) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out processor) && processor < Most;
}

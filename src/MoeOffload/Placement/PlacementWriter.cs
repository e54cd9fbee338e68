using System.Globalization;
using System.Text;

namespace MoeOffload.Placement;

/// <summary>Writes tensor placement in llama.cpp's command-line notation.</summary>
internal static class PlacementWriter
{
    public static string Write(IEnumerable<PlacementRule> rules)
    {
        var text = new StringBuilder();
        var inList = false;
        foreach (var rule in rules)
        {
            if (ShortForm(rule) is { } option)
            {
                Separate(text).Append(option);
                inList = false;
                continue;
            }

            if (inList)
            {
                text.Append(',');
            }
            else
            {
                Separate(text).Append(PlacementNotation.OverrideTensor[0]).Append(' ');
            }

            Append(text, rule.Pattern, PlacementNotation.IndexOfSeparator(rule.Pattern + ",") != rule.Pattern.Length);
            text.Append('=');
            Append(text, rule.Buffer, rule.Buffer.Contains(','));
            inList = true;
        }

        return text.ToString();
    }

    private static StringBuilder Separate(StringBuilder text) => text.Length == 0 ? text : text.Append(' ');

    private static string? ShortForm(PlacementRule rule)
    {
        if (rule.Buffer != TensorPlacement.HostBuffer || !rule.Pattern.EndsWith(ExpertTensors.Pattern, StringComparison.Ordinal))
        {
            return null;
        }

        if (rule.Pattern.Length == ExpertTensors.Pattern.Length)
        {
            return PlacementNotation.CpuMoe[0];
        }

        var count = ExpertTensors.FirstLayersOf(rule.Pattern);
        return count is null
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{PlacementNotation.FirstLayersCpuMoe[0]} {count}");
    }

    private static void Append(StringBuilder text, string part, bool splits)
    {
        if (splits || part.Contains('"') || part.StartsWith('\'') || part.Any(char.IsWhiteSpace))
        {
            text.Append('"').Append(part.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        }
        else
        {
            text.Append(part);
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>
/// The layout of one record as clang computed it: bytes, and for each field in order the distance from the start in bits.
/// </summary>
internal sealed partial record RecordLayout(long Size, long Alignment, IReadOnlyList<long> BitOffsets)
{
    /// <summary>
    /// Reads what <c>-fdump-record-layouts-simple</c> prints, by the type's name as clang spells it without its keyword; a
    /// record without a tag goes by the place where it begins (<c>/path/header.h:301:9</c>).
    /// </summary>
    public static Dictionary<string, RecordLayout> ReadAll(byte[] output)
    {
        var layouts = new Dictionary<string, RecordLayout>();
        foreach (Match match in Dump().Matches(Encoding.UTF8.GetString(output)))
        {
            string type = Keyword().Replace(match.Groups["type"].Value.Trim(), "");
            Match place = Place().Match(type);
            long[] offsets = [.. Number().Matches(match.Groups["offsets"].Value).Select(m => Parse(m.Value))];
            layouts[place.Success ? place.Groups[1].Value : type] = new RecordLayout(
                Parse(match.Groups["size"].Value) / 8, Parse(match.Groups["alignment"].Value) / 8, offsets);
        }

        return layouts;
    }

    private static long Parse(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Type: (?<type>.*)\n\s*Layout: <ASTRecordLayout\n\s*Size:(?<size>\d+)\n(?:.*\n)*?\s*Alignment:(?<alignment>\d+)\n(?:.*\n)*?\s*FieldOffsets: \[(?<offsets>[^\]]*)\]>", RegexOptions.Multiline)]
    private static partial Regex Dump();

    [GeneratedRegex("^(struct|union) ")]
    private static partial Regex Keyword();

    [GeneratedRegex(@" at (.+:\d+:\d+)\)$")]
    private static partial Regex Place();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}

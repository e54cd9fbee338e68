using System.Text.RegularExpressions;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Makes the model's docs from the lines of comments, with Doxygen's few commands that such headers use.</summary>
internal static partial class DocComments
{
    /// <summary>The docs of a declaration; what is said of a parameter goes to <paramref name="parameters"/> by its name.</summary>
    public static CDoc Parse(IEnumerable<string> lines, IDictionary<string, string>? parameters = null)
    {
        var summary = new List<string>();
        var returns = new List<string>();
        List<string> current = summary;
        string parameter = "";
        foreach (string line in Dedent(lines))
        {
            Match command = Command().Match(line);
            if (!command.Success)
            {
                if (line.Length == 0)
                {
                    (current, parameter) = (summary, "");
                }

                Add(line);
                continue;
            }

            string text = command.Groups["text"].Value;
            (current, parameter) = (summary, "");
            switch (command.Groups["name"].Value)
            {
                case "return" or "returns":
                    current = returns;
                    Add(text);
                    break;
                case "param" when text.Split(' ', 2) is [string name, string about] && parameters?.ContainsKey(name) == true:
                    parameter = name;
                    Add(about.Trim());
                    break;
                case "param" when text.Split(' ', 2) is [string name, string about]:
                    Add($"{name}: {about.Trim()}");
                    break;
                default:
                    Add(text);
                    break;
            }
        }

        return new CDoc(Text(summary), Text(returns));

        void Add(string line)
        {
            if (parameter.Length > 0)
            {
                parameters![parameter] = Text([parameters[parameter], line]);
            }
            else
            {
                current.Add(line);
            }
        }
    }

    private static List<string> Dedent(IEnumerable<string> lines)
    {
        List<string> all = [.. lines];
        int indent = all.Where(l => l.Length > 0).Select(l => l.Length - l.TrimStart().Length).DefaultIfEmpty(0).Min();
        return [.. all.Select(l => l.Length == 0 ? l : l[indent..])];
    }

    private static string Text(IReadOnlyList<string> lines)
        => string.Join('\n', lines.SkipWhile(l => l.Length == 0).Reverse().SkipWhile(l => l.Length == 0).Reverse());

    [GeneratedRegex(@"^\s*[@\\](?<name>param|returns?|details|brief)\b\s*(?<text>.*)$")]
    private static partial Regex Command();
}

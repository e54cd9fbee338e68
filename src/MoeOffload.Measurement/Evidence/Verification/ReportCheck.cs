using MoeOffload.Measurement.Evidence.Reporting;


namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Checks that the report and its plots are identical to those generated from the raw files.</summary>
internal static class ReportCheck
{
    public static IEnumerable<Problem> Find(EvidenceFiles files, Report report)
    {
        (string Name, string Text)[] made = [.. report.Files()];
        foreach ((string name, string text) in made)
        {
            if (!files.Has(name))
            {
                yield return new Problem(name, "it is missing.");
                continue;
            }

            string found = files.ReadText(name);
            if (found != text)
            {
                int line = FirstDifference(found, text);
                yield return new Problem($"{name}:{line}", $"it differs from the raw files, which give '{LineOf(text, line)}' instead of '{LineOf(found, line)}'. If another version of moe wrote it, 'moe evidence report' writes it again.");
            }
        }

        foreach (string name in files.Names.Where(name => name.StartsWith(EvidenceFiles.Plots + "/", StringComparison.Ordinal) && made.All(file => file.Name != name)))
        {
            yield return new Problem(name, "no plot of this name follows from the raw files.");
        }
    }

    /// <summary>Returns the number of the first line in which two texts differ, starting at 1.</summary>
    public static int FirstDifference(string text, string other)
    {
        string[] lines = text.Split('\n');
        string[] others = other.Split('\n');
        int line = 0;
        while (line < lines.Length && line < others.Length && lines[line] == others[line])
        {
            line++;
        }

        return line + 1;
    }

    private static string LineOf(string text, int line)
    {
        string[] lines = text.Split('\n');
        string found = line <= lines.Length ? lines[line - 1] : string.Empty;
        return found.Length <= 120 ? found : found[..120] + "…";
    }
}

using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Reporting;


namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Verifies a folder of evidence from an untrusted source. It needs neither the models nor the native libraries.</summary>
internal static class EvidenceVerifier
{
    /// <summary>Verifies a folder.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static VerificationResult Verify(string directory)
    {
        var problems = new List<Problem>();
        EvidenceFolder? folder = null;
        int figures = 0;
        try
        {
            EvidenceFiles files = EvidenceFiles.Open(directory);
            Collect(problems, EvidenceFiles.Hashes, () => HashFile.Find(files));
            EvidenceManifest manifest = EvidenceManifest.Read(files);
            figures = manifest.Figures.Count;
            Collect(problems, EvidenceFiles.Manifest, () => CompletenessCheck.FindFiles(files, manifest));
            folder = EvidenceFolder.Read(files, manifest.Protocols);
            foreach (ModelEvidence model in folder.Models)
            {
                Collect(problems, model.Name, () => CompletenessCheck.Find(model));
                Collect(problems, model.Name, () => LoadCheck.Find(model));
            }

            FigureSet expected = FigureSet.Of(folder);
            Collect(problems, EvidenceFiles.Manifest, () => FigureCheck.Find(files, manifest, expected));
            Collect(problems, EvidenceFiles.MarkdownReport, () => ReportCheck.Find(files, Report.Of(folder, expected)));
        }
        catch (FormatException error)
        {
            problems.Add(Of(EvidenceFiles.Manifest, error));
        }

        return new VerificationResult(problems, folder, figures);
    }

    // A part that cannot be read is reported as a problem, and the other parts are checked nevertheless.
    private static void Collect(List<Problem> problems, string part, Func<IEnumerable<Problem>> find)
    {
        try
        {
            problems.AddRange(find());
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or ArgumentException)
        {
            problems.Add(Of(part, error));
        }
    }

    private static Problem Of(string part, Exception error) =>
        error.Message.Split(": ", 2) is [var where, var what] && !where.Contains(' ', StringComparison.Ordinal) ? new Problem(where, what) : new Problem(part, error.Message);
}

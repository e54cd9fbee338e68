using System.CommandLine;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Making;
using MoeOffload.Measurement.Evidence.Verification;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence report</c>, which writes the report, plots and manifest again with this version of the command.</summary>
internal sealed class EvidenceReportCommand : ICliCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of evidence" };

    public EvidenceReportCommand() => Command = new Command("report", "Write the report of a folder again from its raw files, which must be unchanged") { _folder };

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        string directory = invocation.Parsed.GetValue(_folder)!;
        EvidenceFiles files = EvidenceFiles.Open(directory);
        if (HashFile.Find(files).FirstOrDefault(problem => !EvidenceManifest.IsGenerated(problem.Where)) is { } problem)
        {
            throw new FormatException($"{directory} is not valid evidence, and was not changed: {problem}");
        }

        EvidenceWriter.Finish(directory, EvidenceManifest.Read(files).Protocols);
        return Task.FromResult(EvidenceVerifyCommand.Write(invocation, directory, EvidenceVerifier.Verify(directory)));
    }
}

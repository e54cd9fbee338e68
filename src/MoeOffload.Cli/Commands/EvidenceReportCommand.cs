using System.CommandLine;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Making;
using MoeOffload.Measurement.Evidence.Verification;

namespace MoeOffload.Cli.Commands;

/// <summary><c>moe evidence report</c>: writes report, plots and manifest anew, as this version of the command words and draws them.</summary>
internal sealed class EvidenceReportCommand : ICliCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of evidence" };

    public EvidenceReportCommand() => Command = new Command("report", "Write the report of a folder anew from its raw files, which must be as they were") { _folder };

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        string directory = invocation.Parsed.GetValue(_folder)!;
        EvidenceFiles files = EvidenceFiles.Open(directory);
        if (Sums.Find(files).FirstOrDefault(problem => !EvidenceManifest.IsMade(problem.Where)) is { } problem)
        {
            throw new FormatException($"{directory} does not hold, and is left as it is: {problem}");
        }

        EvidenceWriter.Finish(directory, EvidenceManifest.Read(files).Protocols);
        return Task.FromResult(EvidenceVerifyCommand.Write(invocation, directory, EvidenceVerifier.Verify(directory)));
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Evidence.Verification;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary><c>moe evidence verify</c>: whether a folder's figures follow from what was measured. Needs no native library and no model.</summary>
internal sealed class EvidenceVerifyCommand : ICliCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of evidence" };
    private readonly Option<string?> _model = Opt.Text("PATH", "Check that this file is the model that was measured, too", "--model", "-m");
    private readonly Option<bool> _json = Opt.Flag("As JSON", "--json");

    public EvidenceVerifyCommand() => Command = new Command(
        "verify", "Check a folder: hashes, that no repeat is missing, every figure, the claims about experts and memory, the report") { _folder, _model, _json };

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        string directory = invocation.Parsed.GetValue(_folder)!;
        VerificationResult result = EvidenceVerifier.Verify(directory);
        List<Problem> problems = [.. result.Problems];
        if (invocation.Parsed.GetValue(_model) is { } path && result.Folder is not null
            && await ModelFileCheck.FindAsync(result.Folder, path, invocation.Cancelled).ConfigureAwait(false) is { } wrong)
        {
            problems.Add(wrong);
        }

        TextWriter output = invocation.Terminal.Out;
        string[] models = [.. result.Folder?.Models.Select(model => model.Name) ?? []];
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(output, new JsonObject
            {
                ["ok"] = problems.Count == 0,
                ["models"] = Json.Array(models),
                ["figures"] = result.FigureCount,
                ["problems"] = Json.Array(problems.Select(problem => new JsonObject { ["where"] = problem.Where, ["what"] = problem.What })),
            });
        }
        else if (problems.Count == 0)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"ok: {string.Join(", ", models)}: {result.FigureCount} figures follow from {result.Folder!.Files.Names.Count} files, and every claim is in the logs"));
        }
        else
        {
            foreach (Problem problem in problems)
            {
                output.WriteLine(invocation.Terminal.Harmless(problem.ToString()));
            }

            invocation.Terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"error: {directory} does not hold: {problems.Count} {(problems.Count == 1 ? "problem" : "problems")}."));
        }

        return problems.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }
}

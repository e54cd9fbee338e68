using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Verification;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence verify</c>, which checks that a folder's figures follow from what was measured. It requires no native library and no model.</summary>
internal sealed class EvidenceVerifyCommand : ICliCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of evidence" };
    private readonly Option<string?> _model = Opt.Text("PATH", "Also check that this file is the model that was measured", "--model", "-m");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public EvidenceVerifyCommand() => Command = new Command(
        "verify", "Check a folder: hashes, that no repeat is missing, every figure, the claims about experts and memory, the report") { _folder, _model, _json };

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        string directory = invocation.Parsed.GetValue(_folder)!;
        VerificationResult result = EvidenceVerifier.Verify(directory);
        if (invocation.Parsed.GetValue(_model) is { } path && result.Folder is not null
            && await ModelFileCheck.FindAsync(result.Folder, path, invocation.Cancelled).ConfigureAwait(false) is { } wrong)
        {
            result = result with { Problems = [.. result.Problems, wrong] };
        }

        if (!invocation.Parsed.GetValue(_json))
        {
            return Write(invocation, directory, result);
        }

        Json.Write(invocation.Terminal.Out, new JsonObject
        {
            ["ok"] = result.Problems.Count == 0,
            ["models"] = Json.Array(ModelsOf(result)),
            ["figures"] = result.FigureCount,
            ["problems"] = Json.Array(result.Problems.Select(problem => new JsonObject { ["where"] = problem.Where, ["what"] = problem.What })),
        });
        return CodeOf(result);
    }

    /// <summary>Writes the result of a check.</summary>
    /// <returns>The exit code.</returns>
    public static int Write(Invocation invocation, string directory, VerificationResult result)
    {
        int count = result.Problems.Count;
        if (count == 0)
        {
            invocation.Terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"ok: {string.Join(", ", ModelsOf(result))}: {result.FigureCount} figures follow from {result.Folder!.Files.Names.Count} files, and the logs support every claim"));
            return CodeOf(result);
        }

        foreach (Problem problem in result.Problems)
        {
            invocation.Terminal.Out.WriteLine(invocation.Terminal.Harmless(problem.ToString()));
        }

        invocation.Terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"error: {directory} is not valid evidence: {count} {(count == 1 ? "problem" : "problems")}."));
        return CodeOf(result);
    }

    private static IEnumerable<string> ModelsOf(VerificationResult result) => result.Folder?.Models.Select(model => model.Name) ?? [];

    private static int CodeOf(VerificationResult result) => result.Problems.Count == 0 ? ExitCode.Success : ExitCode.Failure;
}

using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe bench streaming</c> and the other benchmarks: measures by a protocol, keeps every sample, and reports their statistics.</summary>
internal sealed class MeasureCommand : ICliCommand
{
    private readonly IBenchSettings _settings;
    private readonly BenchArguments _arguments;
    private readonly Option<string?> _output = Opt.Text("FILE", "Write the samples to a file while they are measured, one JSON object per line", "--output", "-o");
    private readonly Option<bool> _json = Opt.Flag("Print samples and statistics as JSON", "--json");

    /// <summary>Creates the command.</summary>
    /// <param name="name">The name of the benchmark.</param>
    /// <param name="description">The description in the help.</param>
    /// <param name="global">The options of all commands.</param>
    /// <param name="settings">The options of the benchmark.</param>
    public MeasureCommand(string name, string description, GlobalOptions global, IBenchSettings settings)
    {
        _settings = settings;
        _arguments = new BenchArguments(global);
        Command = new Command(name, description) { _output, _json };
        foreach (Option option in settings.Options)
        {
            Command.Options.Add(option);
        }

        _arguments.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        using LoopbackRpcServer? server = _arguments.StartServer(invocation);
        BenchSubject subject = await _arguments.ReadAsync(invocation, server).ConfigureAwait(false);
        IBench bench = _settings.Make(subject, invocation.Parsed);
        using SampleFile? file = invocation.Parsed.GetValue(_output) is { } path ? new SampleFile(path) : null;
        var log = new SampleLog(file);
        await ProgressBar.RunStepsAsync(invocation.Terminal, $"{bench.Name}, {subject.Name}", async progress =>
        {
            await bench.RunAsync(
                log,
                new ProgressBar.Direct<BenchProgress>(at => progress.Report((at.Done / (float)at.Total, at.Step))),
                invocation.Cancelled).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        Write(invocation, bench, subject, log.Samples);
        return ExitCode.Success;
    }

    private void Write(Invocation invocation, IBench bench, BenchSubject subject, SampleSet samples)
    {
        IBenchReport report = bench.Report(samples);
        TextWriter output = invocation.Terminal.Out;
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(output, new JsonObject
            {
                ["bench"] = bench.Name,
                ["model"] = subject.Name,
                ["synthetic"] = subject.IsSynthetic,
                ["samples"] = Json.Array(samples.Select(sample => sample.Fields.DeepClone())),
                ["statistics"] = Json.Array(report.Figures.Select(figure => figure.ToJson(samples))),
            });
            return;
        }

        string accelerator = samples.Select(sample => (string?)sample.Fields["accelerator"]).FirstOrDefault() ?? "none, the CPU alone";
        output.WriteLine($"{subject.Name}{(subject.IsSynthetic ? ", synthetic weights" : string.Empty)}; accelerator: {accelerator}");
        report.WriteTo(output);
    }
}

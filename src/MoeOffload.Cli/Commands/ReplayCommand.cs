using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Diagnostics;
using MoeOffload.Measurement.Replay;
using MoeOffload.Measurement.Reports;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe replay</c>, which plays a trace against caches of experts. It requires no native library and no model.</summary>
internal sealed class ReplayCommand : ICliCommand
{
    private readonly Argument<string> _trace = new("TRACE") { Description = "The file that 'moe trace' wrote" };

    private readonly Option<long[]?> _budgets = Opt.Parsed(
        "SIZE,SIZE,...", "The sizes of the caches; the default is eighths of the size of all experts", ReadSizes, "sizes such as 1GiB,2GiB", "--budget");

    private readonly Option<long?> _readSpeed = Opt.Parsed<long?>(
        "SIZE", "How much is read in a second of what is not in the cache: from a disk, or over the bus of a GPU", ByteSize.TryParse, "a size such as 350MiB", "--read-speed");

    private readonly Option<long?> _memorySpeed = Opt.Parsed<long?>(
        "SIZE", "With --read-speed, also count the time to read experts from memory, as much in a second", ByteSize.TryParse, "a size such as 20GiB", "--memory-speed");

    private readonly Option<string?> _pictures = Opt.Text(
        "DIR", "Also write pictures into this directory: heat.svg, hit-rate.svg and reuse-distance.svg", "--pictures");

    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public ReplayCommand()
    {
        Command = new Command("replay", "Play a trace against caches of experts, and say whether one would pay") { _trace, _budgets, _readSpeed, _memorySpeed, _pictures, _json };
        Command.Validators.Add(result =>
        {
            if (result.GetValue(_memorySpeed) is not null && result.GetValue(_readSpeed) is null)
            {
                result.AddError("--memory-speed is only allowed with --read-speed.");
            }
        });
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        ExpertTrace trace = await ExpertTrace.LoadAsync(parsed.GetValue(_trace)!, invocation.Cancelled).ConfigureAwait(false);
        var options = new ReplayOptions
        {
            Budgets = parsed.GetValue(_budgets) ?? [],
            ReadSpeed = parsed.GetValue(_readSpeed),
            MemorySpeed = parsed.GetValue(_memorySpeed),
        };
        ReplayReport report = await BackgroundCall.RunAsync(() => ReplayReport.Make(trace, options), invocation.Cancelled).ConfigureAwait(false);
        if (parsed.GetValue(_pictures) is { } directory)
        {
            ReplayPictures.Write(directory, trace, report);
        }

        if (parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, report.Describe());
        }
        else
        {
            report.WriteTo(invocation.Terminal.Out);
        }

        return ExitCode.Success;
    }

    private static long[]? ReadSizes(string text)
    {
        long?[] sizes = [.. text.Split(',').Select(size => ByteSize.TryParse(size.Trim()))];
        return Array.TrueForAll(sizes, size => size is not null) ? [.. sizes.Select(size => size!.Value)] : null;
    }
}

using System.CommandLine;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of <c>moe fit</c>: the memory to plan for, which need not be that of this machine.</summary>
internal sealed class FitArguments
{
    private readonly Option<IReadOnlyList<long>?> _vram = Opt.Parsed<IReadOnlyList<long>>(
        "SIZE,…", "The free memory of each device, instead of that of this machine's devices", ReadSizes, "a comma-separated list of sizes such as 8GiB,24GiB", "--vram");

    private readonly Option<long?> _ram = Opt.Parsed<long?>(
        "SIZE", "The available system memory, instead of that of this machine", ByteSize.TryParse, "a size such as 32GiB", "--ram");

    private readonly Option<int?> _parallel = Opt.Integer("N", "The number of requests that run at the same time; the default is 1", 1, 256, "--parallel", "-np");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _vram, _ram, _parallel })
        {
            command.Options.Add(option);
        }
    }

    public FitOptions Read(ParseResult parsed) => new() { DeviceBytes = parsed.GetValue(_vram), HostBytes = parsed.GetValue(_ram) };

    /// <summary>Gets the number of requests that run at the same time.</summary>
    public int Parallel(ParseResult parsed) => parsed.GetValue(_parallel) ?? 1;

    private static long[]? ReadSizes(string text)
    {
        long?[] sizes = [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ByteSize.TryParse)];
        return sizes.Length > 0 && sizes.All(size => size is not null) ? [.. sizes.Select(size => size!.Value)] : null;
    }
}

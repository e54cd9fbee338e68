using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Synthesis;

namespace MoeOffload.Cli.Commands;

/// <summary><c>moe model synth</c>: writes a model with the shape of a published one and random weights.</summary>
internal sealed class SynthCommand : ICliCommand
{
    private const int MaxLayers = 512;

    private readonly Argument<string> _shape = new("SHAPE") { Description = $"The published model: {string.Join(", ", ModelShape.All.Select(shape => shape.Id))}" };

    private readonly Option<FileType?> _type = Opt.Parsed(
        "QUANT",
        "The file type, as llama.cpp names it; the default is MXFP4 for gpt-oss, and Q4_K_M for others",
        text => FileType.All.Values.FirstOrDefault(type => string.Equals(type.Name, text, StringComparison.OrdinalIgnoreCase)),
        $"one of {string.Join(", ", FileType.All.Keys)}",
        "--type");

    private readonly Option<int?> _layers = Opt.Integer("N", "Only the first N layers; the default is all", 1, MaxLayers, "--layers");
    private readonly Option<int?> _seed = Opt.Integer("N", "What the weights depend on; the default is 1", 0, int.MaxValue, "--seed", "-s");
    private readonly Option<string?> _output = Opt.Text("FILE", "The file to write", "--output", "-o");
    private readonly Option<bool> _plan = Opt.Flag("Say what the file would be, and write nothing", "--plan");
    private readonly Option<bool> _force = Opt.Flag("Replace a file that is there", "--force");
    private readonly Option<bool> _json = Opt.Flag("As JSON", "--json");

    public SynthCommand()
    {
        _shape.CompletionSources.Add([.. ModelShape.All.Select(shape => shape.Id)]);
        _type.CompletionSources.Add([.. FileType.All.Keys]);
        Command = new Command("synth", "Write a model with the shape, types and metadata of a published one and random weights, to measure with")
        {
            _shape, _type, _layers, _seed, _output, _plan, _force, _json,
        };
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        SyntheticModel model = Read(invocation.Parsed);
        string? path = invocation.Parsed.GetValue(_output) is { } output ? Path.GetFullPath(output) : null;
        if (!invocation.Parsed.GetValue(_plan))
        {
            await WriteAsync(invocation, model, path ?? throw new UsageException("There is no file to write to: name it with -o FILE, or see what it would be with --plan.")).ConfigureAwait(false);
        }

        Report(invocation, model, path);
        return ExitCode.Success;
    }

    private SyntheticModel Read(ParseResult parsed)
    {
        string id = parsed.GetValue(_shape)!;
        ModelShape shape = ModelShape.All.FirstOrDefault(shape => string.Equals(shape.Id, id, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException($"There is no shape '{id}', only {string.Join(", ", ModelShape.All.Select(shape => shape.Id))}.");
        int layers = parsed.GetValue(_layers) ?? shape.LayerCount;
        if (layers > shape.LayerCount)
        {
            throw new UsageException($"--layers is {layers}, and {shape.Id} has {shape.LayerCount}.");
        }

        return new SyntheticModel(shape, parsed.GetValue(_type) ?? FileType.All[shape.UsualFileType], layers, parsed.GetValue(_seed) ?? 1);
    }

    private async Task WriteAsync(Invocation invocation, SyntheticModel model, string path)
    {
        if (Directory.Exists(path))
        {
            throw new UsageException($"{path} is a directory: name a file, for instance {Path.Combine(path, "model.gguf")}.");
        }

        if (File.Exists(path) && !invocation.Parsed.GetValue(_force))
        {
            throw new IOException($"{path} is there already: name another file, or replace it with --force.");
        }

        string directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            throw new IOException($"There is no directory {directory}: make it first.");
        }

        long bytes = model.FileBytes;
        long free = new DriveInfo(directory).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new IOException($"{directory} has {Size.Of(free)} free, and the file takes {Size.Of(bytes)}: make room, or choose a smaller --type or fewer --layers.");
        }

        await ProgressBar.RunBytesAsync(invocation.Terminal, Path.GetFileName(path), bar => Task.Run(
            () =>
            {
                bar?.MaxValue = bytes;
                model.Write(path, new ProgressBar.Direct<long>(written => bar?.Value = written), invocation.Cancelled);
                return true;
            },
            invocation.Cancelled)).ConfigureAwait(false);
    }

    private void Report(Invocation invocation, SyntheticModel model, string? path)
    {
        TensorSummary[] groups = TensorSummary.Of(model.Tensors.Select(planned => (planned.Tensor.Name, planned.Type, planned.Tensor.ElementCount, planned.ByteCount)));
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, new JsonObject
            {
                ["model_name"] = model.Name,
                ["synthetic_weights"] = true,
                ["path"] = path,
                ["written"] = !invocation.Parsed.GetValue(_plan),
                ["bytes"] = model.FileBytes,
                ["parameters"] = model.ParameterCount,
                ["tensor_groups"] = TensorSummary.Describe(groups),
            });
            return;
        }

        invocation.Terminal.Out.WriteLine($"{model.Name}  {Size.OfCount(model.ParameterCount)} parameters  {Size.Of(model.FileBytes)}{(path is null ? string.Empty : $"  {path}")}");
        if (invocation.Parsed.GetValue(_plan))
        {
            invocation.Terminal.Out.WriteLine();
            TensorSummary.WriteTable(invocation.Terminal.Out, groups);
        }
    }
}

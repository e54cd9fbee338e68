using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Synthesis;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe model synth</c>, which writes a model with random weights in the shape of a published one.</summary>
internal sealed class SynthCommand : ICliCommand
{
    private const int MaxLayers = 512;

    private readonly Argument<string> _shape = new("SHAPE") { Description = $"The shape, one of {string.Join(", ", ModelShape.All.Select(shape => shape.Id))}" };

    private readonly Option<FileType?> _type = Opt.Parsed(
        "QUANT",
        "The file type, by llama.cpp's name; the default is MXFP4 for gpt-oss, and Q4_K_M for other models",
        text => FileType.All.Values.FirstOrDefault(type => string.Equals(type.Name, text, StringComparison.OrdinalIgnoreCase)),
        $"one of {string.Join(", ", FileType.All.Keys)}",
        "--type");

    private readonly Option<int?> _layers = Opt.Integer("N", "Write only the first N layers; the default is all", 1, MaxLayers, "--layers");
    private readonly Option<int?> _seed = Opt.Integer("N", "The random seed of the weights; the default is 1", 0, int.MaxValue, "--seed", "-s");
    private readonly Option<string?> _output = Opt.Text("FILE", "The file to write", "--output", "-o");
    private readonly Option<bool> _plan = Opt.Flag("Show what the file would contain, and write nothing", "--plan");
    private readonly Option<bool> _force = Opt.Flag("Replace an existing file", "--force");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public SynthCommand()
    {
        _shape.CompletionSources.Add([.. ModelShape.All.Select(shape => shape.Id)]);
        _type.CompletionSources.Add([.. FileType.All.Keys]);
        Command = new Command("synth", "Write a model with random weights in the shape of a published one, for measurements")
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
            await WriteAsync(invocation, model, path ?? throw new UsageException("No output file is given: set it with -o FILE, or use --plan to show what the file would contain.")).ConfigureAwait(false);
        }

        Report(invocation, model, path);
        return ExitCode.Success;
    }

    private SyntheticModel Read(ParseResult parsed)
    {
        string id = parsed.GetValue(_shape)!;
        ModelShape shape = ModelShape.All.FirstOrDefault(shape => string.Equals(shape.Id, id, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException($"'{id}' is not a valid shape: use one of {string.Join(", ", ModelShape.All.Select(shape => shape.Id))}.");
        int layers = parsed.GetValue(_layers) ?? shape.LayerCount;
        if (layers > shape.LayerCount)
        {
            throw new UsageException($"--layers is {layers}, but {shape.Id} has only {shape.LayerCount} layers.");
        }

        return new SyntheticModel(shape, parsed.GetValue(_type) ?? FileType.All[shape.UsualFileType], layers, parsed.GetValue(_seed) ?? 1);
    }

    private async Task WriteAsync(Invocation invocation, SyntheticModel model, string path)
    {
        if (Directory.Exists(path))
        {
            throw new UsageException($"{path} is a directory: use the path of a file, such as {Path.Combine(path, "model.gguf")}.");
        }

        if (File.Exists(path) && !invocation.Parsed.GetValue(_force))
        {
            throw new IOException($"{path} already exists: choose another path, or use --force to replace it.");
        }

        string directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            throw new IOException($"The directory {directory} does not exist: create it first.");
        }

        long bytes = model.FileBytes;
        long free = new DriveInfo(directory).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new IOException($"{directory} has {Size.Of(free)} free, but the file takes {Size.Of(bytes)}: free some space, or use a smaller --type or fewer --layers.");
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

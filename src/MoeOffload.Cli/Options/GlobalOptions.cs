using System.CommandLine;
using System.CommandLine.Parsing;

namespace MoeOffload.Cli.Options;

/// <summary>The options of all commands.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Config { get; } = Global(Opt.Text("PATH", "The configuration file, in place of the usual one", "--config"));

    public Option<bool> Verbose { get; } = Global(Opt.Flag("Show logs, llama.cpp's own included, and where errors come from", "--verbose", "-v"));

    public Option<string?> ModelDirectories { get; } =
        Global(Opt.Text("'A;B'", "More directories with models, beside ./models and the stores of other tools", "--model-dirs"));

    public Option<GpuBackend?> GpuBackend { get; } = Global(Opt.Choice(
        "Which devices hold layers",
        new Dictionary<string, GpuBackend>
        {
            ["auto"] = Options.GpuBackend.Auto,
            ["cpu"] = Options.GpuBackend.Cpu,
            ["cuda"] = Options.GpuBackend.Cuda,
            ["vulkan"] = Options.GpuBackend.Vulkan,
        },
        "--gpu-backend"));

    public Option<bool> CpuMoe { get; } = Global(Opt.Flag("Keep all experts in system memory", "--cpu-moe", "-cmoe"));

    public Option<int?> LayersCpuMoe { get; } =
        Global(Opt.Integer("N", "Keep the experts of the first N layers in system memory", 0, 512, "--n-cpu-moe", "-ncmoe"));

    public Option<string?> NativeDirectory { get; } = Global(Opt.Text("DIR", "Where the native libraries are", "--native-dir"));

    public void AddTo(RootCommand root)
    {
        foreach (Option option in new Option[] { ModelDirectories, GpuBackend, CpuMoe, LayersCpuMoe, NativeDirectory, Config, Verbose })
        {
            root.Options.Add(option);
        }
    }

    /// <summary>Refuses options that exclude each other; a command calls it, since those of the root are not asked.</summary>
    public void Validate(CommandResult result)
    {
        if (result.GetValue(CpuMoe) && result.GetResult(LayersCpuMoe) is { Implicit: false })
        {
            result.AddError("--cpu-moe and --n-cpu-moe exclude each other: the first keeps the experts of all layers in system memory, the second those of some.");
        }
    }

    private static T Global<T>(T option)
        where T : Option
    {
        option.Recursive = true;
        return option;
    }
}

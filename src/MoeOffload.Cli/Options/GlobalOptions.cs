using System.CommandLine;
using System.CommandLine.Parsing;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options that all commands have.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Config { get; } = Global(Opt.Text("PATH", "The configuration file to use instead of the default one", "--config"));

    public Option<bool> Verbose { get; } = Global(Opt.Flag("Write the log, including llama.cpp's, and show stack traces of errors", "--verbose", "-v"));

    public Option<string?> ModelDirectories { get; } =
        Global(Opt.Text("'A;B'", "Additional directories to search for models", "--model-dirs"));

    public Option<GpuBackend?> GpuBackend { get; } = Global(Opt.Choice(
        "The kind of devices that hold layers",
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

    public Option<string?> NativeDirectory { get; } = Global(Opt.Text("DIR", "The directory of the native libraries", "--native-dir"));

    public void AddTo(RootCommand root)
    {
        foreach (Option option in new Option[] { ModelDirectories, GpuBackend, CpuMoe, LayersCpuMoe, NativeDirectory, Config, Verbose })
        {
            root.Options.Add(option);
        }
    }

    /// <summary>
    /// Hides the options that have no effect on a command from its help. They are accepted all the same, so that one line of options can be
    /// used for all commands.
    /// </summary>
    /// <param name="command">The command whose help is shown.</param>
    /// <param name="root">The root command, whose help lists all options.</param>
    public static void HideFrom(Command command, RootCommand root)
    {
        bool loads = command == root || command.Options.Any(option => option.Name == "--gpu-layers");
        bool finds = loads || command.Name is "list" or "discover" or "inspect";
        foreach (Option option in root.Options)
        {
            option.Hidden = option.Name switch
            {
                "--model-dirs" => !finds,
                "--gpu-backend" or "--cpu-moe" or "--n-cpu-moe" or "--native-dir" => !loads,
                _ => option.Hidden,
            };
        }
    }

    /// <summary>Rejects options that cannot be combined. Each command calls this, because validators of the root command do not run.</summary>
    public void Validate(CommandResult result)
    {
        if (result.GetValue(CpuMoe) && result.GetResult(LayersCpuMoe) is { Implicit: false })
        {
            result.AddError("--cpu-moe and --n-cpu-moe cannot be combined: use --cpu-moe for all layers, or --n-cpu-moe for some.");
        }
    }

    private static T Global<T>(T option)
        where T : Option
    {
        option.Recursive = true;
        return option;
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MoeOffload.Cli.Options;

/// <summary>How a model is loaded, with llama.cpp's names.</summary>
/// <param name="global">The options of all commands, some of which are about loading.</param>
internal sealed class LoadArguments(GlobalOptions global)
{
    private readonly Option<string[]> _overrideTensor = Opt.Texts(
        "REGEX=BUFFER", "Where tensors go, as llama.cpp writes it; the first rule that matches decides", "--override-tensor", "-ot");

    private readonly Option<int?> _gpuLayers = Opt.Parsed<int?>(
        "N", "How many layers, the last ones first, lie on devices; the default is all", ReadLayers, "a whole number, all or auto", "--gpu-layers", "-ngl", "--n-gpu-layers");

    private readonly Option<string[]> _rpc = Opt.Texts("HOST:PORT,…", "ggml-rpc-servers whose devices hold layers; networks that you trust only", "--rpc");

    private readonly Option<string?> _devices = Opt.Text("NAME,…", "The devices that hold layers, in order; none is the CPU alone", "--device", "-dev");

    private readonly Option<string?> _requireDevice = Opt.Text(
        "NAME", "Fail where the model would not really use this device; * is any but the CPU", "--require-device");

    private readonly Option<SplitMode?> _splitMode = Opt.Choice(
        "How a model is spread over several devices",
        new Dictionary<string, SplitMode> { ["layer"] = SplitMode.Layer, ["none"] = SplitMode.None, ["row"] = SplitMode.Row, ["tensor"] = SplitMode.Tensor },
        "--split-mode",
        "-sm");

    private readonly Option<IReadOnlyList<float>?> _tensorSplit = Opt.Parsed<IReadOnlyList<float>>(
        "A,B,…", "Each device's share", ReadShares, "numbers from 0 on with commas between them, at least one of them more than 0, such as 3,1", "--tensor-split", "-ts");

    private readonly Option<int?> _mainGpu = Opt.Integer("N", "The device, from 0, that holds everything with --split-mode none", 0, 255, "--main-gpu", "-mg");
    private readonly Option<bool> _noMmap = Opt.Flag("Read the weights into memory, and do not map the file", "--no-mmap");
    private readonly Option<bool> _mlock = Opt.Flag("Keep the weights in memory, never swapped", "--mlock");
    private readonly Option<bool> _directIo = Opt.Flag("Read the weights past the system's file cache", "--direct-io", "-dio");
    private readonly Option<bool> _noRepack = Opt.Flag("Leave weights in system memory as they are in the file", "--no-repack", "-nr");
    private readonly Option<bool> _checkTensors = Opt.Flag("Check the weights for invalid numbers first", "--check-tensors");
    private readonly Option<bool> _strict = Opt.Flag("Fail where a placement rule matches no tensor", "--strict-placement");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _overrideTensor, _gpuLayers, _rpc, _devices, _requireDevice, _splitMode, _tensorSplit, _mainGpu, _noMmap, _mlock, _directIo, _noRepack,
            _checkTensors, _strict,
        })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(_devices) is { } devices && SplitDevices(devices) is var names
                && (names.Length == 0 || names.Distinct(StringComparer.OrdinalIgnoreCase).Count() < names.Length))
            {
                result.AddError($"--device is '{devices}', and must be names of different devices with commas between them, or none.");
            }

            if (result.GetValue(_noMmap) && result.GetValue(_directIo))
            {
                result.AddError("--no-mmap and --direct-io exclude each other: both say how weights are read.");
            }
        });
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="PlacementException">A placement rule is wrong.</exception>
    public ModelOptions Read(ParseResult parsed) => new()
    {
        Placement = ReadPlacement(parsed),
        UnmatchedRules = parsed.GetValue(_strict) ? UnmatchedRules.Error : UnmatchedRules.Warn,
        GpuLayers = parsed.GetValue(_gpuLayers) is >= 0 and var layers ? layers : null,
        RpcServers = [.. (parsed.GetValue(_rpc) ?? []).SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
        Devices = ReadDevices(parsed),
        RequireDevice = parsed.GetValue(_requireDevice),
        SplitMode = parsed.GetValue(_splitMode),
        TensorSplit = parsed.GetValue(_tensorSplit),
        MainGpu = parsed.GetValue(_mainGpu),
        LoadMode = ReadLoadMode(parsed),
        Repack = parsed.GetValue(_noRepack) ? false : null,
        ValidateTensors = parsed.GetValue(_checkTensors),
        NativeLibraryDirectory = parsed.GetValue(global.NativeDirectory),
    };

    /// <summary>Narrows the devices to those of the backend that was asked for.</summary>
    /// <exception cref="PlacementException">There are none.</exception>
    public ModelOptions ChooseBackend(ModelOptions options, ParseResult parsed)
    {
        GpuBackend backend = parsed.GetValue(global.GpuBackend) ?? GpuBackend.Auto;
        if (backend == GpuBackend.Auto || options.Devices is not null)
        {
            return options;
        }

        if (backend == GpuBackend.Cpu)
        {
            return options with { Devices = [] };
        }

        IReadOnlyList<DeviceInfo> known = MoeModel.ListDevices(options);
        string[] names =
        [
            .. known.Where(device => options.RpcServers.Contains(device.Description) || device.Name.StartsWith(backend.ToString(), StringComparison.OrdinalIgnoreCase))
                .Select(device => device.Name),
        ];
        return names.Any(name => name.StartsWith(backend.ToString(), StringComparison.OrdinalIgnoreCase))
            ? options with { Devices = names }
            : throw new PlacementException(
                $"--gpu-backend {backend.ToString().ToLowerInvariant()}: there is no such device here, only {string.Join(", ", known.Select(device => device.Name))}. 'moe gpu-info' says which backends were found.");
    }

    // The order of the command line is the order of the rules, as in llama.cpp, so the words are gone through once more.
    private TensorPlacement ReadPlacement(ParseResult parsed)
    {
        TensorPlacement placement = TensorPlacement.Default;
        IReadOnlyList<Token> words = parsed.Tokens;
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i].Type != TokenType.Option)
            {
                continue;
            }

            string value = i + 1 < words.Count && words[i + 1].Type == TokenType.Argument ? words[i + 1].Value : string.Empty;
            placement = Is(words[i], _overrideTensor) ? placement.Then(TensorPlacement.Parse(value))
                : Is(words[i], global.CpuMoe) && parsed.GetValue(global.CpuMoe) ? placement.Then(TensorPlacement.ExpertsToCpu())
                : Is(words[i], global.LayersCpuMoe) ? placement.Then(TensorPlacement.ExpertsToCpu(int.Parse(value, CultureInfo.InvariantCulture)))
                : placement;
        }

        return placement;
    }

    private string[]? ReadDevices(ParseResult parsed) => parsed.GetValue(_devices) switch
    {
        null => null,
        "none" => [],
        var list => SplitDevices(list),
    };

    private static string[] SplitDevices(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private LoadMode ReadLoadMode(ParseResult parsed) => (parsed.GetValue(_mlock), parsed.GetValue(_directIo), parsed.GetValue(_noMmap)) switch
    {
        (_, true, _) => LoadMode.DirectIo,
        (true, _, true) => LoadMode.Mlock,
        (true, _, false) => LoadMode.MmapMlock,
        (false, _, true) => LoadMode.None,
        _ => LoadMode.Auto,
    };

    private static bool Is(Token word, Option option) => word.Value == option.Name || option.Aliases.Contains(word.Value);

    // llama.cpp takes "all", "auto" and negative numbers for as many as there are.
    private static int? ReadLayers(string text) =>
        text.Equals("all", StringComparison.OrdinalIgnoreCase) || text.Equals("auto", StringComparison.OrdinalIgnoreCase) ? -1
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? Math.Max(number, -1)
        : null;

    private static float[]? ReadShares(string text)
    {
        string[] parts = text.Split(',', '/');
        float[] shares = [.. parts.Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float share) ? share : float.NaN)];
        return shares.All(share => float.IsFinite(share) && share >= 0) && shares.Any(share => share > 0) ? shares : null;
    }
}

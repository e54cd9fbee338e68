using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options for loading a model, with llama.cpp's names.</summary>
/// <param name="global">The options of all commands, some of which concern loading.</param>
internal sealed class LoadArguments(GlobalOptions global)
{
    private readonly Option<string[]> _overrideTensor = Opt.Texts(
        "REGEX=BUFFER", "Place the tensors that match REGEX in a buffer, as in llama.cpp; the first rule that matches applies", "--override-tensor", "-ot");

    private readonly Option<int?> _gpuLayers = Opt.Parsed<int?>(
        "N", "The number of layers to place on devices, counted from the last one; the default is all", ReadLayers, "a whole number, 'all' or 'auto'", "--gpu-layers", "-ngl", "--n-gpu-layers");

    private readonly Option<string[]> _rpc = Opt.Texts("HOST:PORT,…", "The ggml-rpc-servers whose devices hold layers; use them only on networks that you trust", "--rpc");

    private readonly Option<string?> _devices = Opt.Text("NAME,…", "The devices that hold layers, in this order; 'none' uses the CPU only", "--device", "-dev");

    private readonly Option<string?> _requireDevice = Opt.Text(
        "NAME", "Fail if the model would not use this device; * means any device except the CPU", "--require-device");

    private readonly Option<SplitMode?> _splitMode = Opt.Choice(
        "How to split the model across devices",
        new Dictionary<string, SplitMode> { ["layer"] = SplitMode.Layer, ["none"] = SplitMode.None, ["row"] = SplitMode.Row, ["tensor"] = SplitMode.Tensor },
        "--split-mode",
        "-sm");

    private readonly Option<IReadOnlyList<float>?> _tensorSplit = Opt.Parsed<IReadOnlyList<float>>(
        "A,B,…", "The share of the model that each device holds", ReadShares, "a comma-separated list of numbers that are not negative and not all 0, such as 3,1", "--tensor-split", "-ts");

    private readonly Option<int?> _mainGpu = Opt.Integer("N", "The index of the device that holds the whole model with --split-mode none", 0, 255, "--main-gpu", "-mg");
    private readonly Option<bool> _noMmap = Opt.Flag("Read the weights into memory instead of mapping the file", "--no-mmap");
    private readonly Option<bool> _mlock = Opt.Flag("Lock the weights in memory so that they are never swapped out", "--mlock");
    private readonly Option<bool> _directIo = Opt.Flag("Read the weights with direct I/O, which bypasses the system's file cache", "--direct-io", "-dio");
    private readonly Option<bool> _noRepack = Opt.Flag("Do not repack weights in system memory for faster computation", "--no-repack", "-nr");
    private readonly Option<long?> _expertMemory = Opt.Parsed<long?>(
        "SIZE", "The maximum system memory of experts; the others are read from the file when they are used", ByteSize.TryParse, "a size such as 8GiB, 8000MB or a number of bytes", "--expert-memory");

    private readonly Option<bool> _fit = Opt.Flag(
        "Choose where the model is placed by the free memory, as 'moe fit' does, and fail before loading if it does not fit", "--fit");

    private readonly Option<long?> _fitMargin = Opt.Parsed<long?>(
        "SIZE", "The memory that a planned placement leaves free on each device and in system memory; the default is 512MiB", ReadMargin, "a size such as 512MiB, or 0", "--fit-margin");

    private readonly Option<bool> _checkTensors = Opt.Flag("Check the weights for invalid values before use", "--check-tensors");
    private readonly Option<string[]> _overrides = Opt.Texts(
        "KEY=TYPE:VALUE,…", "Replace values of the model's metadata; the types are int, float, bool and str; can be repeated", "--override-kv");

    private readonly Option<string?> _chatTemplate = Opt.Text("TEMPLATE", "The chat template in Jinja, or 'chatml'; the default is the model's own, or chatml if it has none", "--chat-template");
    private readonly Option<string?> _chatTemplateFile = Opt.Text("PATH", "A file with the chat template in Jinja", "--chat-template-file");
    private readonly Option<string?> _projector = Opt.Text("PATH", "The projector (mmproj) with which the model takes images; the default is one beside the model", "--mmproj", "-mm");
    private readonly Option<bool> _noProjector = Opt.Flag("Load no projector, even if there is one beside the model", "--no-mmproj");
    private readonly Option<bool> _projectorOnCpu = Opt.Flag("Let the CPU encode images, instead of the first GPU", "--no-mmproj-offload");
    private readonly Option<int?> _imageTokens = Opt.Integer("N", "The maximum number of tokens of an image, for projectors for which it depends on the size", 1, 1 << 20, "--image-max-tokens");
    private readonly Option<bool> _strict = Opt.Flag("Fail if a placement rule matches no tensor", "--strict-placement");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _overrideTensor, _gpuLayers, _rpc, _devices, _requireDevice, _splitMode, _tensorSplit, _mainGpu, _noMmap, _mlock, _directIo, _noRepack,
            _expertMemory, _fit, _fitMargin, _checkTensors, _strict, _overrides, _chatTemplate, _chatTemplateFile,
            _projector, _noProjector, _projectorOnCpu, _imageTokens,
        })
        {
            command.Options.Add(option);
        }

        Opt.Check(_overrides, list => MetadataOverride.Split(list).All(item => MetadataOverride.Parse(item) is not null), MetadataOverride.Allowed);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_devices) is { } devices && SplitDevices(devices) is var names
                && (names.Length == 0 || names.Distinct(StringComparer.OrdinalIgnoreCase).Count() < names.Length))
            {
                result.AddError($"--device is '{devices}', but must be 'none' or a comma-separated list of different devices.");
            }

            if (result.GetValue(_chatTemplate) is not null && result.GetValue(_chatTemplateFile) is not null)
            {
                result.AddError("--chat-template and --chat-template-file cannot be combined: use one of them.");
            }

            if (result.GetValue(_projector) is not null && result.GetValue(_noProjector))
            {
                result.AddError("--mmproj and --no-mmproj cannot be combined: use one of them.");
            }

            if (result.GetValue(_noMmap) && result.GetValue(_directIo))
            {
                result.AddError("--no-mmap and --direct-io cannot be combined: use one of them.");
            }

            if (result.GetResult(_expertMemory) is not null && (result.GetValue(_mlock) || result.GetValue(_checkTensors)))
            {
                result.AddError("--expert-memory cannot be combined with --mlock or --check-tensors, which read all experts: leave them out.");
            }
        });
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="PlacementException">A placement rule is not valid.</exception>
    /// <exception cref="IOException">The file with the chat template cannot be read.</exception>
    public ModelOptions Read(ParseResult parsed) => new()
    {
        Placement = ReadPlacement(parsed),
        UnmatchedRules = parsed.GetValue(_strict) ? UnmatchedRuleAction.Error : UnmatchedRuleAction.Warn,
        GpuLayers = parsed.GetValue(_gpuLayers) is >= 0 and var layers ? layers : null,
        RpcServers = [.. (parsed.GetValue(_rpc) ?? []).SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
        Devices = ReadDevices(parsed),
        RequireDevice = parsed.GetValue(_requireDevice),
        SplitMode = parsed.GetValue(_splitMode),
        TensorSplit = parsed.GetValue(_tensorSplit),
        MainGpu = parsed.GetValue(_mainGpu),
        LoadMode = ReadLoadMode(parsed),
        Repack = parsed.GetValue(_noRepack) ? false : null,
        Experts = parsed.GetValue(_expertMemory) is { } bytes ? ExpertStorage.Limit(bytes) : null,
        ValidateTensors = parsed.GetValue(_checkTensors),
        MetadataOverrides = ReadOverrides(parsed),
        ChatTemplate = parsed.GetValue(_chatTemplateFile) is { } file ? File.ReadAllText(file) : parsed.GetValue(_chatTemplate),
        ProjectorPath = parsed.GetValue(_projector),
        FindProjector = !parsed.GetValue(_noProjector),
        ProjectorOnDevice = !parsed.GetValue(_projectorOnCpu),
        MaxImageTokens = parsed.GetValue(_imageTokens),
        NativeLibraryDirectory = parsed.GetValue(global.NativeDirectory),
    };

    /// <summary>Gets the memory that a planned placement leaves free, or <see langword="null"/> for the default.</summary>
    public long? FitMargin(ParseResult parsed) => parsed.GetValue(_fitMargin);

    /// <summary>Lets the placement be planned for a context, if the command line says so. Rules that it has are kept.</summary>
    public ModelOptions ChoosePlacement(ModelOptions options, ParseResult parsed, ContextOptions context) => parsed.GetValue(_fit)
        ? options with { Placement = TensorPlacement.Auto(parsed.GetValue(_fitMargin), context.ToShape()).Then(options.Placement) }
        : options;

    /// <summary>Restricts the devices to those of the chosen backend.</summary>
    /// <exception cref="PlacementException">The backend has no devices.</exception>
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
                $"--gpu-backend {backend.ToString().ToLowerInvariant()}: this machine has no such device, only {string.Join(", ", known.Select(device => device.Name))}. 'moe gpu-info' shows which backends were found.");
    }

    // As in llama.cpp, rules apply in the order of the command line, so its tokens are searched again.
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

    // As in llama.cpp, the last value of a key applies.
    private Dictionary<string, MetadataValue> ReadOverrides(ParseResult parsed)
    {
        var overrides = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (string item in (parsed.GetValue(_overrides) ?? []).SelectMany(MetadataOverride.Split))
        {
            (string key, MetadataValue value) = MetadataOverride.Parse(item)!.Value;
            overrides[key] = value;
        }

        return overrides;
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

    private static long? ReadMargin(string text) => text == "0" ? 0 : ByteSize.TryParse(text);

    private static bool Is(Token word, Option option) => word.Value == option.Name || option.Aliases.Contains(word.Value);

    // In llama.cpp, "all", "auto" and negative numbers mean all layers.
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

using System.CommandLine;
using MoeOffload.Gguf;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of a context, with llama.cpp's names.</summary>
internal sealed class ContextArguments
{
    private static readonly Dictionary<string, GgmlType> s_cacheTypes = new GgmlType[]
    {
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.IQ4_NL, GgmlType.Q5_0, GgmlType.Q5_1,
    }.ToDictionary(type => GgmlTypeInfo.Get(type).Name);

    private readonly Option<int?> _length = Opt.Integer(
        "N", "The length of the context in tokens; the default of 0 chooses it by the model and the available memory", 0, 1 << 28, "--ctx-size", "-c");

    private readonly Option<int?> _batch = Opt.Integer("N", "The maximum number of tokens in a step", 1, 1 << 20, "--batch-size", "-b");
    private readonly Option<int?> _microBatch = Opt.Integer("N", "The maximum number of tokens that are computed at once", 1, 1 << 20, "--ubatch-size", "-ub");
    private readonly Option<int?> _threads = Opt.Integer("N", "The number of CPU threads for generation; the default is at most the number of physical cores, and fewer while that is faster", 1, 512, "--threads", "-t");
    private readonly Option<int?> _promptThreads = Opt.Integer("N", "The number of CPU threads for prompts", 1, 512, "--threads-batch", "-tb");
    private readonly Option<ComputePriority?> _priority = Opt.Choice(
        "The priority of the CPU threads: below-normal lets other programs have the cores first",
        new Dictionary<string, ComputePriority> { ["normal"] = ComputePriority.Normal, ["below-normal"] = ComputePriority.BelowNormal },
        "--threads-priority");

    private readonly Option<int?> _reserved = Opt.Integer("N", "The number of cores to leave to other programs, unless --threads is set", 0, 512, "--reserve-cores");

    private readonly Option<ComputeBudget?> _budget = Opt.Parsed(
        "TIME/PERIOD|PERCENT",
        "How long to compute at most: milliseconds in each period of milliseconds (4/16.7), or a share of the time (25%)",
        ComputeTime.TryParse,
        "a time and a period in milliseconds such as 4/16.7, or a share such as 25%",
        "--compute-budget");

    private readonly Option<GgmlType?> _keyType = Opt.Choice("The data type of the keys in the KV cache", s_cacheTypes, "--cache-type-k", "-ctk");
    private readonly Option<GgmlType?> _valueType = Opt.Choice("The data type of the values in the KV cache", s_cacheTypes, "--cache-type-v", "-ctv");
    private readonly Option<FlashAttention?> _flashAttention = Opt.Completed(
        Opt.Parsed("auto|on|off", "Whether to use flash attention", ReadFlashAttention, "one of auto|on|off", "--flash-attn", "-fa"), "auto", "on", "off");

    private readonly Option<bool> _noKvOffload = Opt.Flag("Keep the KV cache in system memory", "--no-kv-offload", "-nkvo");
    private readonly Option<bool> _noOpOffload = Opt.Flag("Compute with weights in system memory on the CPU, even for large batches", "--no-op-offload");
    private readonly Option<bool> _countExperts = Opt.Flag("Count which experts are chosen, and show the counts", "--count-experts");

    private readonly Option<int?> _guesses = Opt.Integer("N", "The maximum number of tokens to draft at once with --spec-type; the default is 8", 1, 64, "--spec-draft-n-max");

    private readonly RopeArguments _rope = new();
    private readonly Option<SpeculationType?> _speculation;

    // Null if the command does not load a second model.
    private readonly Option<string?>? _draftModel;

    private enum SpeculationType
    {
        None,
        Lookup,
        Mtp,
        Model,
    }

    /// <summary>Creates the options.</summary>
    /// <param name="hasDraftModel">Whether the command can load a second model that drafts tokens.</param>
    public ContextArguments(bool hasDraftModel = false)
    {
        var types = new Dictionary<string, SpeculationType>
        {
            ["none"] = SpeculationType.None,
            ["ngram-simple"] = SpeculationType.Lookup,
            ["draft-mtp"] = SpeculationType.Mtp,
        };
        string description = "How tokens are drafted for speculative decoding: from repeated text (ngram-simple) or by the model's MTP layers (draft-mtp)";
        if (hasDraftModel)
        {
            types["draft-simple"] = SpeculationType.Model;
            description += ", or by --spec-draft-model (draft-simple)";
            _draftModel = Opt.Text(
                "NAME", "A smaller model with the same vocabulary that drafts tokens for speculative decoding", "--spec-draft-model", "-md", "--model-draft");
        }

        _speculation = Opt.Choice($"{description}; the default is none", types, "--spec-type");
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _length, _batch, _microBatch, _threads, _promptThreads, _priority, _reserved, _budget, _keyType, _valueType, _flashAttention, _noKvOffload, _noOpOffload, _countExperts,
            _speculation, _guesses,
        })
        {
            command.Options.Add(option);
        }

        if (_draftModel is not null)
        {
            command.Options.Add(_draftModel);
        }

        _rope.AddTo(command);

        command.Validators.Add(result =>
        {
            if (result.GetValue(_flashAttention) == FlashAttention.Off && result.GetValue(_valueType) is { } type
                && type is not (GgmlType.F32 or GgmlType.F16 or GgmlType.BF16))
            {
                result.AddError($"--cache-type-v {GgmlTypeInfo.Get(type).Name} requires flash attention: remove --flash-attn off, or use --cache-type-v f16.");
            }

            bool hasDraftModel = _draftModel is not null && result.GetValue(_draftModel) is not null;
            if (result.GetValue(_speculation) is { } speculation && (speculation == SpeculationType.Model) != hasDraftModel)
            {
                result.AddError(hasDraftModel
                    ? "--spec-draft-model needs --spec-type draft-simple, which is the default with it."
                    : "--spec-type draft-simple needs a model that drafts: set --spec-draft-model PATH.");
            }
        });
    }

    /// <summary>Applies the options of a command to the defaults of a context.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="start">The defaults.</param>
    public ContextOptions Read(ParseResult parsed, ContextOptions start) => start with
    {
        ContextLength = parsed.GetValue(_length) ?? start.ContextLength,
        BatchSize = parsed.GetValue(_batch) ?? start.BatchSize,
        MicroBatchSize = parsed.GetValue(_microBatch) ?? start.MicroBatchSize,
        Threads = ReadThreads(parsed),
        KvCache = start.KvCache with
        {
            KeyType = parsed.GetValue(_keyType),
            ValueType = parsed.GetValue(_valueType),
            Offload = parsed.GetValue(_noKvOffload) ? false : null,
        },
        FlashAttention = parsed.GetValue(_flashAttention) ?? FlashAttention.Auto,
        OpOffload = parsed.GetValue(_noOpOffload) ? false : null,
        CountExperts = parsed.GetValue(_countExperts),
        Speculation = ReadSpeculation(parsed),
        Rope = _rope.Read(parsed),
    };

    /// <summary>Gets a value that indicates whether to use the model's layers for multi-token prediction.</summary>
    public bool WantsMtpLayers(ParseResult parsed) => parsed.GetValue(_speculation) == SpeculationType.Mtp;

    /// <summary>Gets the name or the path of the model that drafts tokens; null if there is none.</summary>
    public string? DraftModel(ParseResult parsed) => _draftModel is null ? null : parsed.GetValue(_draftModel);

    // llama.cpp's tools accept all of these words.
    private static FlashAttention? ReadFlashAttention(string text) => text.ToLowerInvariant() switch
    {
        "auto" or "-1" => FlashAttention.Auto,
        "on" or "1" or "true" or "enabled" => FlashAttention.On,
        "off" or "0" or "false" or "disabled" => FlashAttention.Off,
        _ => null,
    };

    private ThreadOptions ReadThreads(ParseResult parsed) => new()
    {
        Decode = parsed.GetValue(_threads),
        Prompt = parsed.GetValue(_promptThreads),
        Priority = parsed.GetValue(_priority) ?? ComputePriority.Normal,
        ReservedCores = parsed.GetValue(_reserved) ?? 0,
        Budget = parsed.GetValue(_budget),
    };

    private SpeculationOptions? ReadSpeculation(ParseResult parsed)
    {
        var usual = new SpeculationOptions();
        return parsed.GetValue(_speculation) is null or SpeculationType.None && DraftModel(parsed) is null
            ? null
            : usual with { UseMtpLayers = WantsMtpLayers(parsed), MaxDraftTokens = parsed.GetValue(_guesses) ?? usual.MaxDraftTokens };
    }
}

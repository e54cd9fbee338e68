namespace MoeOffload.Gguf;

/// <summary>Checks sizes, experts, recurrent layers and floating-point hyperparameters.</summary>
internal static class HyperparameterCheck
{
    // llama.cpp's own LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS.
    private const uint MaxLayers = 512;
    private const uint MaxExperts = 1024;

    // Ten times the length of any model. llama.cpp would allocate memory for whatever the file specifies.
    private const uint MaxContext = 1 << 27;

    private static readonly string[] s_epsilons =
        ["attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.group_norm_epsilon"];

    public static void Run(GgufModelFiles model, ModelValues values)
    {
        var layers = Required(values, "block_count", MaxLayers);
        Required(values, "context_length", MaxContext);
        Required(values, "embedding_length", int.MaxValue);
        InRange(values, "nextn_predict_layers", 0, layers);
        InRange(values, "attention.sliding_window", 0, MaxContext);
        InRange(values, "full_attention_interval", 1, uint.MaxValue);
        InRange(values, "num_loops", 1, MaxLayers / layers);
        CheckExperts(model, values, (int)layers);
        CheckRecurrentLayers(values);
        CheckFloats(values);
    }

    private static uint Required(ModelValues values, string name, uint most)
    {
        var value = values.Number(name) ?? throw values.Fail($"'{values.Key(name)}'", "is missing");
        InRange(values, name, 1, most);
        return value;
    }

    private static void InRange(ModelValues values, string name, uint least, uint most)
    {
        if (values.Number(name) is { } value && (value < least || value > most))
        {
            throw values.Fail($"'{values.Key(name)}'", $"is {value}; it must be {least} to {most}");
        }
    }

    private static void CheckExperts(GgufModelFiles model, ModelValues values, int layers)
    {
        InRange(values, "expert_count", 0, MaxExperts);
        InRange(values, "expert_gating_func", 0, 4);
        var experts = values.Number("expert_count") ?? 0;
        var used = values.PerLayer("expert_used_count", layers)?.Max() ?? 0;
        var groups = values.Number("expert_group_count") ?? 0;
        if (experts <= 1 && values.Architecture is "hunyuan_vl" or "hunyuan-dense")
        {
            return;
        }

        var hasExpertTensors = model.Tensors.Any(tensor => tensor.Name.Contains("_exps", StringComparison.Ordinal));
        if (used > experts || (used == 0) != (experts == 0) || (hasExpertTensors && experts == 0))
        {
            throw values.Fail($"'{values.Key("expert_used_count")}'", $"is {used} of {experts} experts");
        }

        var groupsUsed = values.Number("expert_group_used_count") ?? 0;
        if ((groups > 0 && groups >= experts)
            || (groups > 1 && (experts % groups != 0 || groupsUsed == 0 || groupsUsed >= groups)))
        {
            throw values.Fail($"'{values.Key("expert_group_count")}'", $"is {groups} groups, {groupsUsed} used, of {experts} experts");
        }

        if (experts > 0 && ArchitectureFacts.NamesItsGating(values.Architecture) && values.Number("expert_gating_func") is null or 0)
        {
            throw values.Fail($"'{values.Key("expert_gating_func")}'", "is missing or 0");
        }

        RequireWhere(values, "ernie4_5-moe", "interleave_moe_layer_step");
        RequireWhere(values, "grovemoe", "experts_per_group");
    }

    private static void RequireWhere(ModelValues values, string architecture, string name)
    {
        if (values.Architecture == architecture && values.Number(name) is null or 0)
        {
            throw values.Fail($"'{values.Key(name)}'", "is missing, or 0");
        }
    }

    private static void CheckRecurrentLayers(ModelValues values)
    {
        var mamba2 = ArchitectureFacts.HasMamba2Layers(values.Architecture);
        var deltaNet = ArchitectureFacts.HasDeltaNetLayers(values.Architecture);
        var inner = values.Number("ssm.inner_size") ?? 0;
        if (mamba2 || deltaNet)
        {
            var heads = values.Number("ssm.time_step_rank") ?? 0;
            var groups = values.Number("ssm.group_count") ?? 0;
            if (inner == 0 || heads == 0 || groups == 0 || inner % heads != 0 || (mamba2 ? inner : heads) % groups != 0)
            {
                throw values.Fail($"'{values.Key("ssm.inner_size")}'", $"is {inner}, for {heads} heads in {groups} groups");
            }
        }

        if (values.Architecture is "jamba" or "granitehybrid" && inner != 2 * values.Number("embedding_length"))
        {
            throw values.Fail($"'{values.Key("ssm.inner_size")}'", $"is {inner}, not twice the embedding length");
        }
    }

    private static void CheckFloats(ModelValues values)
    {
        var prefix = values.Key(string.Empty);
        foreach (var (key, value) in values.Metadata)
        {
            if (value.Type == GgufValueType.Float32 && key.StartsWith(prefix, StringComparison.Ordinal) && double.IsNaN(value.GetDouble(0)))
            {
                throw values.Fail($"'{key}'", "is not a number");
            }
        }

        foreach (var name in s_epsilons)
        {
            if (values.Float(name) is { } epsilon && !(epsilon >= 0 && float.IsFinite(epsilon)))
            {
                throw values.Fail($"'{values.Key(name)}'", $"is {epsilon}, not a small positive number");
            }
        }
    }
}

using System.Globalization;

namespace MoeOffload.Placement;

/// <summary>Interprets llama.cpp's tensor names (<c>LLM_TENSOR_NAMES</c> in its <c>llama-arch.cpp</c>).</summary>
internal static class TensorNames
{
    private const string LayerPrefix = "blk.";

    /// <summary>Gets the number of the layer that a tensor belongs to, or <see langword="null"/> if it does not belong to a layer.</summary>
    public static int? LayerOf(string name)
    {
        if (!name.StartsWith(LayerPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        ReadOnlySpan<char> rest = name.AsSpan(LayerPrefix.Length);
        int dot = rest.IndexOf('.');
        return dot > 0 && int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : null;
    }

    /// <summary>Gets the name of a layer's tensor without its layer: <c>ffn_up_exps.weight</c> of <c>blk.0.ffn_up_exps.weight</c>.</summary>
    public static string WithoutLayer(string name) => name[(name.IndexOf('.', LayerPrefix.Length) + 1)..];

    /// <summary>Determines what a tensor is used for.</summary>
    public static TensorGroup GroupOf(string name)
    {
        ReadOnlySpan<char> part = name;
        if (LayerOf(name) is null)
        {
            return part switch
            {
                _ when part.StartsWith("output") => TensorGroup.Output,
                _ when part.StartsWith("token_") || part.StartsWith("position_") || part.StartsWith("per_layer_token_embd") => TensorGroup.Embedding,
                _ => TensorGroup.Other,
            };
        }

        part = part[(part[LayerPrefix.Length..].IndexOf('.') + LayerPrefix.Length + 1)..];
        return part switch
        {
            _ when ExpertTensors.IsExpert(name) => TensorGroup.Experts,
            _ when part.Contains("_shexp", StringComparison.Ordinal) => TensorGroup.SharedExperts,
            _ when part.StartsWith("ffn_gate_inp") || part.StartsWith("exp_probs_b") || part.StartsWith("ffn_gate_tid2eid") => TensorGroup.Router,
            _ when part.StartsWith("nextn.") => TensorGroup.Other,
            _ when part.Contains("norm", StringComparison.Ordinal) => TensorGroup.Norm,
            _ when part.StartsWith("ffn_") || part.StartsWith("channel_mix_") => TensorGroup.FeedForward,
            _ when part.StartsWith("attn_") || part.StartsWith("ssm_") || part.StartsWith("time_mix_") || part.StartsWith("shortconv.")
                || part.StartsWith("indexer.") => TensorGroup.Attention,
            _ => TensorGroup.Other,
        };
    }
}

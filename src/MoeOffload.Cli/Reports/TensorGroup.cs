using System.Text.RegularExpressions;
using MoeOffload.Gguf;

namespace MoeOffload.Cli.Reports;

/// <summary>Tensors of one purpose and type.</summary>
/// <param name="Name">The purpose.</param>
/// <param name="Type">The type.</param>
/// <param name="Count">How many.</param>
/// <param name="ParameterCount">Their elements.</param>
/// <param name="Bytes">Their size.</param>
internal sealed partial record TensorGroup(string Name, string Type, int Count, long ParameterCount, long Bytes)
{
    private static readonly string[] s_order = ["experts", "shared experts", "router", "attention", "feed-forward", "state space", "embeddings", "output", "norms", "other"];

    /// <summary>Groups tensors, the largest purposes of a mixture of experts first.</summary>
    public static TensorGroup[] Of(IEnumerable<GgufTensorInfo> tensors) =>
    [
        .. tensors.GroupBy(tensor => (Name: NameOf(tensor.Name), Type: GgmlTypeInfo.Of(tensor.Type).Name))
            .Select(group => new TensorGroup(
                group.Key.Name, group.Key.Type, group.Count(), group.Sum(tensor => tensor.ElementCount), group.Sum(tensor => tensor.ByteCount)))
            .OrderBy(group => Array.IndexOf(s_order, group.Name))
            .ThenByDescending(group => group.Bytes),
    ];

    /// <summary>The purpose of a tensor, by llama.cpp's names.</summary>
    public static string NameOf(string tensor) => tensor switch
    {
        _ when Expert().IsMatch(tensor) => "experts",
        _ when tensor.Contains("shexp", StringComparison.Ordinal) => "shared experts",
        _ when tensor.Contains("ffn_gate_inp", StringComparison.Ordinal) || tensor.Contains("exp_probs", StringComparison.Ordinal) => "router",
        _ when tensor.Contains("norm", StringComparison.Ordinal) => "norms",
        _ when tensor.Contains(".attn", StringComparison.Ordinal) => "attention",
        _ when tensor.Contains(".ssm_", StringComparison.Ordinal) => "state space",
        _ when tensor.Contains(".ffn_", StringComparison.Ordinal) => "feed-forward",
        _ when tensor.Contains("_embd", StringComparison.Ordinal) => "embeddings",
        _ when tensor.StartsWith("output", StringComparison.Ordinal) => "output",
        _ => "other",
    };

    [GeneratedRegex(TensorPlacement.ExpertPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Expert();
}

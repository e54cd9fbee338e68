using MoeOffload.Gguf;

namespace MoeOffload.Cli.Reports;

/// <summary>Tensors of one purpose and type.</summary>
/// <param name="Name">The purpose.</param>
/// <param name="Type">The type.</param>
/// <param name="Count">How many.</param>
/// <param name="ParameterCount">Their elements.</param>
/// <param name="Bytes">Their size.</param>
internal sealed record TensorSummary(string Name, string Type, int Count, long ParameterCount, long Bytes)
{
    // The largest purposes of a mixture of experts first.
    private static readonly (TensorGroup Group, string Name)[] s_groups =
    [
        (TensorGroup.Experts, "experts"),
        (TensorGroup.SharedExperts, "shared experts"),
        (TensorGroup.Router, "router"),
        (TensorGroup.Attention, "attention"),
        (TensorGroup.FeedForward, "feed-forward"),
        (TensorGroup.Embedding, "embeddings"),
        (TensorGroup.Output, "output"),
        (TensorGroup.Norm, "norms"),
        (TensorGroup.Other, "other"),
    ];

    /// <summary>Sums tensors up by purpose and type.</summary>
    public static TensorSummary[] Of(IEnumerable<GgufTensorInfo> tensors) =>
    [
        .. tensors.GroupBy(tensor => (Group: TensorLocation.GroupOf(tensor.Name), Type: GgmlTypeInfo.Of(tensor.Type).Name))
            .OrderBy(group => Array.FindIndex(s_groups, known => known.Group == group.Key.Group))
            .ThenByDescending(group => group.Sum(tensor => tensor.ByteCount))
            .Select(group => new TensorSummary(
                NameOf(group.Key.Group), group.Key.Type, group.Count(), group.Sum(tensor => tensor.ElementCount), group.Sum(tensor => tensor.ByteCount))),
    ];

    /// <summary>The purpose of a tensor.</summary>
    public static string NameOf(string tensor) => NameOf(TensorLocation.GroupOf(tensor));

    private static string NameOf(TensorGroup group) => Array.Find(s_groups, known => known.Group == group).Name;
}

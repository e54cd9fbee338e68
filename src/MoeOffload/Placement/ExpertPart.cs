namespace MoeOffload.Placement;

/// <summary>Represents a part of a layer's experts that is placed as a whole: one matrix of all experts, with its biases and scales.</summary>
/// <param name="Layer">The zero-based number of the layer.</param>
/// <param name="Kind">The matrix, such as <c>down</c>.</param>
/// <param name="Bytes">The size of the tensors that no rule of the user applies to, in bytes.</param>
internal sealed record ExpertPart(int Layer, string Kind, long Bytes)
{
    // What is placed on a device last is what a partly placed layer leaves in system memory.
    private static readonly string[] s_order = ["down", "up", "gate", "gate_up"];

    /// <summary>Gets the position of the part within its layer, in the order in which parts are placed on a device.</summary>
    public int Order => Array.IndexOf(s_order, Kind);

    /// <summary>Gets the matrix that an expert tensor belongs to.</summary>
    public static string KindOf(string tensor)
    {
        string name = TensorNames.WithoutLayer(tensor)["ffn_".Length..];
        int end = name.IndexOf("_exps", StringComparison.Ordinal) is >= 0 and var plain ? plain : name.IndexOf("_chexps", StringComparison.Ordinal);
        return name[..end];
    }
}

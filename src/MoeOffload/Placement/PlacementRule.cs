namespace MoeOffload;

/// <summary>Represents a rule of a <see cref="TensorPlacement"/>, which puts the tensors whose names match a pattern into a buffer.</summary>
/// <param name="Pattern">
/// An ECMAScript regular expression, as C++'s <c>std::regex</c> interprets it. It matches anywhere in the tensor's name, such as
/// <c>blk.3.ffn_up_exps.weight</c>; use <c>^</c> and <c>$</c> to anchor it.
/// </param>
/// <param name="Buffer">
/// The buffer type's name, such as <c>CPU</c>, <c>CUDA_Host</c>, <c>CUDA0</c> or <c>RPC0[127.0.0.1:50052]</c>. <c>CPU</c> stands for
/// the most suitable system memory: pinned for a GPU, or mapped from the file, depending on the load mode.
/// </param>
public sealed record PlacementRule(string Pattern, string Buffer);

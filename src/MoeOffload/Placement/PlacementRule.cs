namespace MoeOffload;

/// <summary>One line of a <see cref="TensorPlacement"/>: the tensors whose name the pattern is found in go to the buffer.</summary>
/// <param name="Pattern">
/// An ECMAScript regular expression as C++'s <c>std::regex</c> reads it, searched anywhere in the tensor's name
/// (<c>blk.3.ffn_up_exps.weight</c>), so <c>^</c> and <c>$</c> are needed to anchor it.
/// </param>
/// <param name="Buffer">
/// The buffer type's name: <c>CPU</c>, <c>CUDA_Host</c>, <c>CUDA0</c>, <c>RPC0[127.0.0.1:50052]</c>.
/// <c>CPU</c> stands for the best host memory: pinned beside a GPU, or mapped from the file, by the load mode.
/// </param>
public sealed record PlacementRule(string Pattern, string Buffer);

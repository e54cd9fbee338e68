namespace MoeOffload.Fixtures;

/// <summary>What was planned, and by how much the resident memory of a process then grew.</summary>
/// <param name="Case">The case, in words.</param>
/// <param name="Process"><c>moe</c> or <c>ggml-rpc-server</c>.</param>
/// <param name="Planned">What was planned, in bytes.</param>
/// <param name="Taken">By how much the process grew, in bytes.</param>
public sealed record SystemSample(string Case, string Process, long Planned, long Taken);

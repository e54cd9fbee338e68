namespace MoeOffload.Inference.Processors;

/// <summary>Represents a logical processor that the process can use.</summary>
/// <param name="Index">The index of the processor in the operating system's numbering.</param>
/// <param name="Core">An identifier of the physical core, which its logical processors share.</param>
/// <param name="IsFast"><see langword="false"/> for a slow core of a hybrid processor; otherwise, <see langword="true"/>.</param>
internal readonly record struct LogicalProcessor(int Index, string Core, bool IsFast);

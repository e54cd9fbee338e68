using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>Represents a request that has not ended.</summary>
internal interface IOpenRequest
{
    /// <summary>Gets the request as the planner sees it.</summary>
    SequenceRequest Request { get; }
}

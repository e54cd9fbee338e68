using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>A request that has not ended, with what else belongs to it.</summary>
internal interface IOpenRequest
{
    /// <summary>Gets it as it is planned.</summary>
    SequenceRequest Request { get; }
}

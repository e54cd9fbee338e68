namespace MoeOffload.Inference.Running;

/// <summary>Represents a request that has its turn, and whose input is still prepared.</summary>
internal interface IUnpreparedRequest
{
    /// <summary>Gets whether its tokens are not wanted any more.</summary>
    bool IsCancelled { get; }

    /// <summary>Gets when it must have ended, as a timestamp.</summary>
    long Deadline { get; }

    /// <summary>Gets or sets its number in the order of arrival.</summary>
    long ArrivalNumber { get; set; }

    /// <summary>Ends it, because it was cancelled or its deadline has passed.</summary>
    void End();

    /// <summary>Ends it with an error.</summary>
    void Fail(Exception failure);
}

namespace MoeOffload.Inference.Running;

/// <summary>Represents a request that has a place in the queue but whose input is still being prepared.</summary>
internal interface IUnpreparedRequest
{
    /// <summary>Gets a value that indicates whether the request was canceled.</summary>
    bool IsCancelled { get; }

    /// <summary>Gets a value that indicates whether the input is too long for others to wait for its preparation.</summary>
    bool IsLong { get; }

    /// <summary>Gets the timestamp by which the request must end.</summary>
    long Deadline { get; }

    /// <summary>Gets or sets the position of the request in the order of arrival.</summary>
    long ArrivalNumber { get; set; }

    /// <summary>Ends the request because it was canceled or its deadline has passed.</summary>
    void End();

    /// <summary>Fails the request with an exception.</summary>
    void Fail(Exception failure);
}

namespace MoeOffload.Inference.Planning;

/// <summary>Represents the output of a request, as far as the planner depends on it.</summary>
internal interface IRequestOutput
{
    /// <summary>Gets a value that indicates whether the request was canceled.</summary>
    bool IsCancelled { get; }

    /// <summary>Gets the number of tokens that can be written.</summary>
    int Room { get; }

    /// <summary>Determines whether another token can be written. If not, the scheduler is woken when there is room.</summary>
    bool HasRoom();
}

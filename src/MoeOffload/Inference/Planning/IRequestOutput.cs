namespace MoeOffload.Inference.Planning;

/// <summary>Where a request's tokens go; what a plan asks of its reader.</summary>
internal interface IRequestOutput
{
    /// <summary>Gets whether the tokens are not wanted any more.</summary>
    bool IsCancelled { get; }

    /// <summary>Gets how many tokens can be written.</summary>
    int Room { get; }

    /// <summary>Determines whether another token can be written. If not, the scheduler is woken once there is room.</summary>
    bool HasRoom();
}

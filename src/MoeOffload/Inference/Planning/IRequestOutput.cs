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

    /// <summary>Wakes a waiting reader if tokens were written that it was not told of.</summary>
    void HandOver();

    /// <summary>
    /// Wakes a waiting reader like <see cref="HandOver()"/>, unless the next step is expected to end so soon that the tokens can wait for it.
    /// </summary>
    /// <param name="now">The current timestamp.</param>
    /// <param name="nextStep">The timestamp at which the next step is expected to end.</param>
    void HandOver(long now, long nextStep);
}

namespace MoeOffload.Games.Actions;

/// <summary>Represents a call of an action that waits for the game's thread.</summary>
/// <param name="invoke">The game's method, with its arguments.</param>
/// <param name="done">The result of a method that returns none.</param>
/// <param name="failed">The result of a method that throws.</param>
internal sealed class ActionRequest(Func<string?> invoke, string done, string failed)
{
    private readonly TaskCompletionSource<string> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes with the result when the game's thread has called the method.</summary>
    public Task<string> Result => _result.Task;

    /// <summary>Calls the method. Its exception is thrown to the caller, and is not the character's.</summary>
    public void Run()
    {
        string result = failed;
        try
        {
            result = invoke() ?? done;
        }
        finally
        {
            _result.TrySetResult(result);
        }
    }
}

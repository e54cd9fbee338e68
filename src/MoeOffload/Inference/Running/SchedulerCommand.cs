using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents an action to perform with the context between two steps, on the scheduler's thread.</summary>
internal sealed class SchedulerCommand(Action<CacheExecutor> work)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes when the action has run, or faults if it could not run.</summary>
    public Task Done => _done.Task;

    /// <summary>Runs the action.</summary>
    /// <exception cref="NativeAbortException">The context is unusable.</exception>
    public void Run(CacheExecutor executor)
    {
        try
        {
            work(executor);
            _done.TrySetResult();
        }
        catch (NativeAbortException exception)
        {
            Fail(new InferenceException(exception.Message, exception));
            throw;
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    /// <summary>Fails the command without running the action.</summary>
    public void Fail(Exception exception) => _done.TrySetException(exception);
}

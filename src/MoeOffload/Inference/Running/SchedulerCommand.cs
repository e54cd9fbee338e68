using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Something that must be done with the context between two steps, on the scheduler's thread.</summary>
internal sealed class SchedulerCommand(Action<CacheExecutor> work)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes when it is done, or with why it could not be.</summary>
    public Task Done => _done.Task;

    /// <summary>Does it.</summary>
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

    /// <summary>Ends it without doing it.</summary>
    public void Fail(Exception exception) => _done.TrySetException(exception);
}

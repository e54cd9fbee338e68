using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>Something that must be done with the context between two steps, on the scheduler's thread.</summary>
internal sealed class SchedulerCommand(Action<NativeContext, PrefixCache> work)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when it is done, or with why it could not be.</summary>
    public Task Done => _done.Task;

    /// <summary>Does it.</summary>
    /// <exception cref="NativeAbortException">The context is unusable.</exception>
    public void Run(NativeContext context, PrefixCache cache)
    {
        try
        {
            work(context, cache);
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

    /// <summary>Gives it up.</summary>
    public void Fail(Exception exception) => _done.TrySetException(exception);
}

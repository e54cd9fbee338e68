namespace MoeOffload.Inference.Running;

/// <summary>
/// Decides when a thread that hangs in llama.cpp is abandoned. A step that is only slow must not be abandoned: it is first asked to stop,
/// which a running computation does within an operation or a micro-batch, and is then computed again. It also gets several times as long as
/// any previous step.
/// </summary>
/// <param name="step">The state of the thread's step.</param>
/// <param name="timeouts">The times to wait.</param>
/// <param name="interrupt">An action that asks the current computation to stop.</param>
/// <param name="fail">An action that receives the reason and prevents further steps.</param>
/// <param name="abandon">An action that abandons the thread if the step with the specified number is still running, for the specified reason.</param>
internal sealed class LossWatch(StepState step, LossTimeouts timeouts, Action interrupt, Action<string> fail, Action<long, string> abandon)
{
    /// <summary>Handles the loss of an RPC server that current and future steps need.</summary>
    /// <param name="server">The server.</param>
    /// <param name="reason">How the server was lost.</param>
    public async Task OnServerLostAsync(string server, string reason)
    {
        string failure = $"RPC server {server} was lost ({reason}). The model is unusable: dispose it, and load it again from another server.";
        fail(failure);
        if (step.Current is { } number && await step.OutlastsAsync(number, timeouts.ServerLost).ConfigureAwait(false))
        {
            abandon(number, failure);
        }
    }

    /// <summary>Handles a request to stop the thread, which a step that waits for a server does not notice.</summary>
    /// <param name="servers">The servers that the step might wait for.</param>
    public async Task OnStopAsync(IReadOnlyCollection<string> servers)
    {
        if (servers.Count > 0 && step.Current is { } number && await step.OutlastsAsync(number, Extend(timeouts.Unknown)).ConfigureAwait(false))
        {
            abandon(number, $"RPC server {string.Join(", ", servers)} does not answer.");
        }
    }

    /// <summary>
    /// Handles the end of a computing thread of llama.cpp, for which the other threads of the computation wait forever. llama.cpp does not
    /// report which computation is affected.
    /// </summary>
    /// <param name="reason">The message of llama.cpp.</param>
    public async Task OnThreadLostAsync(string reason)
    {
        if (step.Current is not { } number)
        {
            return;
        }

        TimeSpan limit = Extend(step.Registry.IsOnlyOne ? timeouts.ThreadLost : timeouts.Unknown);
        interrupt();
        if (await step.OutlastsAsync(number, limit).ConfigureAwait(false))
        {
            step.Registry.OnThreadLost();
            abandon(number, $"llama.cpp aborted in a thread of the computation, which cannot continue ({reason}). Create a new session.");
        }
    }

    private TimeSpan Extend(TimeSpan limit)
    {
        TimeSpan extended = step.Longest * timeouts.StepFactor;
        return extended > limit ? extended : limit;
    }
}

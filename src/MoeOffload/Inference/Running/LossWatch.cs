namespace MoeOffload.Inference.Running;

/// <summary>
/// Decides when a thread that hangs inside llama.cpp is abandoned. A step that only takes long must not be: it is asked to stop first,
/// which a computation that goes on does within an operation or a micro-batch, and it is computed again; and it has several times as long
/// as any step before.
/// </summary>
/// <param name="step">The thread's step.</param>
/// <param name="patience">How long to wait.</param>
/// <param name="interrupt">Asks the computation that runs to stop.</param>
/// <param name="fail">Takes the reason; no further step may begin.</param>
/// <param name="abandon">Abandons the thread if the step with this number still runs, for a reason.</param>
internal sealed class LossWatch(StepState step, LossPatience patience, Action interrupt, Action<string> fail, Action<long, string> abandon)
{
    /// <summary>Is told that an RPC server was lost, which what runs and what comes needs.</summary>
    /// <param name="server">The server.</param>
    /// <param name="reason">How it was lost.</param>
    public async Task OnServerLostAsync(string server, string reason)
    {
        string failure = $"RPC server {server} was lost ({reason}). The model is unusable: dispose it, and load it again from another server.";
        fail(failure);
        if (step.Current is { } number && await step.OutlastsAsync(number, patience.ServerLost).ConfigureAwait(false))
        {
            abandon(number, failure);
        }
    }

    /// <summary>Is told that the thread was asked to stop, which a step that waits for a server does not notice.</summary>
    /// <param name="servers">The servers that the step may wait for.</param>
    public async Task OnStopAsync(IReadOnlyCollection<string> servers)
    {
        if (servers.Count > 0 && step.Current is { } number && await step.OutlastsAsync(number, Extend(patience.Unknown)).ConfigureAwait(false))
        {
            abandon(number, $"RPC server {string.Join(", ", servers)} does not answer.");
        }
    }

    /// <summary>
    /// Is told that llama.cpp ended a thread that computed: those that compute with it wait for it for ever. It does not say for whom.
    /// </summary>
    /// <param name="reason">llama.cpp's message.</param>
    public async Task OnThreadLostAsync(string reason)
    {
        if (step.Current is not { } number)
        {
            return;
        }

        TimeSpan limit = Extend(step.Registry.IsOnlyOne ? patience.ThreadLost : patience.Unknown);
        interrupt();
        if (await step.OutlastsAsync(number, limit).ConfigureAwait(false))
        {
            step.Registry.OnThreadLost();
            abandon(number, $"llama.cpp gave up in a thread of the computation, which hangs since ({reason}). Make a new session.");
        }
    }

    private TimeSpan Extend(TimeSpan limit)
    {
        TimeSpan extended = step.Longest * patience.StepFactor;
        return extended > limit ? extended : limit;
    }
}

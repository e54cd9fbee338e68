using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Tells a scheduler of what it cannot notice itself, since its own thread hangs inside llama.cpp: a lost RPC server, and a thread of
/// the computation that llama.cpp ended.
/// </summary>
/// <param name="servers">The RPC servers that the model uses.</param>
/// <param name="step">The scheduler's step.</param>
/// <param name="ended">Completes when there is nothing to watch any more.</param>
/// <param name="fail">Takes the reason; no further step may begin.</param>
/// <param name="abandon">Follows when the present step has had time to end: gives the thread up if it has not.</param>
internal sealed class LossWatch(
    IReadOnlyCollection<string> servers, StepState step, Task ended, Action<string> fail, Action abandon)
{
    // How long a step may go on after what it needs was lost: it may end by itself.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    // The same where the step of another session may have been hit instead, and where a server may only be slow.
    private static readonly TimeSpan s_longGrace = TimeSpan.FromSeconds(60);

    /// <summary>Watches the servers.</summary>
    public async Task WatchServersAsync()
    {
        Task<string>[] losses = RpcServers.Hold(servers);
        Task first = await Task.WhenAny([ended, .. losses]).ConfigureAwait(false);
        RpcServers.Release(servers);
        if (first is not Task<string> lost)
        {
            return;
        }

        string server = servers.ElementAt(Array.IndexOf(losses, lost));
        string reason = await lost.ConfigureAwait(false);
        fail($"RPC server {server} was lost ({reason}). The model is unusable: dispose it, and load it again from another server.");
        await step.IsStuckAsync(s_grace).ConfigureAwait(false);
        abandon();
    }

    /// <summary>After the scheduler was told to stop, which a step that waits for a server does not notice: gives it time to end.</summary>
    public async Task WatchStopAsync()
    {
        if (servers.Count > 0 && await step.IsStuckAsync(s_longGrace).ConfigureAwait(false))
        {
            fail($"RPC server {string.Join(", ", servers)} does not answer.");
            abandon();
        }
    }

    /// <summary>Watches for threads that end: those that compute with such a thread wait for it for ever.</summary>
    public async Task WatchThreadsAsync()
    {
        while (true)
        {
            Task<string> aborted = AbortMonitor.Aborted;
            if (await Task.WhenAny(aborted, ended).ConfigureAwait(false) == ended)
            {
                return;
            }

            // The abort does not say whose thread it was. Where one step runs it can only be that one's.
            string reason = await aborted.ConfigureAwait(false);
            if (await step.IsStuckAsync(StepState.Running == 1 ? s_grace : s_longGrace).ConfigureAwait(false))
            {
                fail($"llama.cpp gave up in a thread of the computation, which hangs since ({reason}). Make a new session.");
                abandon();
                return;
            }
        }
    }
}

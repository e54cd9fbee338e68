using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Reports lost RPC servers and threads of the process to a <see cref="LossWatch"/>.</summary>
internal static class LossSources
{
    /// <summary>Watches RPC servers until a task ends.</summary>
    public static async Task WatchServersAsync(IReadOnlyCollection<string> servers, LossWatch watch, Task ended)
    {
        Task<string>[] losses = RpcServers.Hold(servers);
        Task first = await Task.WhenAny([ended, .. losses]).ConfigureAwait(false);
        RpcServers.Release(servers);
        if (first is Task<string> lost)
        {
            string server = servers.ElementAt(Array.IndexOf(losses, lost));
            await watch.OnServerLostAsync(server, await lost.ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>Watches the threads of llama.cpp until a task ends.</summary>
    public static async Task WatchThreadsAsync(LossWatch watch, Task ended)
    {
        while (true)
        {
            Task<string> aborted = AbortMonitor.Aborted;
            if (await Task.WhenAny(aborted, ended).ConfigureAwait(false) == ended)
            {
                return;
            }

            await watch.OnThreadLostAsync(await aborted.ConfigureAwait(false)).ConfigureAwait(false);
        }
    }
}

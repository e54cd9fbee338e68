using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// What happens when llama.cpp calls abort() on a thread of its own, as its RPC client does when a server dies. The shim parks
/// that thread instead of ending the process; a caller that waits for it would wait for ever. So calls that may depend on such
/// a thread run through <see cref="Run"/>, which gives them up, and long-lived threads subscribe to <see cref="Aborted"/>.
/// </summary>
internal static class AbortMonitor
{
    // The abort does not say whose server died. A call gets this long to finish if one of its own servers is gone,
    // and the second as long if all of them still answer.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longGrace = TimeSpan.FromSeconds(60);

    private static readonly Lock s_gate = new();
    private static readonly HashSet<string> s_lostServers = new(StringComparer.Ordinal);
    private static TaskCompletionSource<string> s_next = NewSource();

    /// <summary>Completes with llama.cpp's message at the next such abort.</summary>
    public static Task<string> Aborted
    {
        get
        {
            lock (s_gate)
            {
                return s_next.Task;
            }
        }
    }

    /// <summary>After an abort, waits until a call that depends on servers has moved on, or can be taken for stuck.</summary>
    public static async Task<bool> IsStuckAsync(IReadOnlyCollection<string> servers, Func<bool> isRunning)
    {
        await Task.Delay(s_grace).ConfigureAwait(false);
        if (!isRunning())
        {
            return false;
        }

        bool isGone = servers.Any(server => !RpcEndpoint.IsReachable(server));
        for (TimeSpan waited = TimeSpan.Zero; !isGone && waited < s_longGrace && isRunning(); waited += s_grace)
        {
            await Task.Delay(s_grace).ConfigureAwait(false);
        }

        return isRunning();
    }

    /// <summary>Points the shim's callback here; once for the process.</summary>
    public static unsafe void Install() => ShimApi.moe_set_abort_callback(&OnForeignAbort);

    /// <summary>Remembers RPC servers as lost: llama.cpp keeps one connection for each, and its thread is parked for good.</summary>
    public static void MarkLost(IEnumerable<string> servers)
    {
        lock (s_gate)
        {
            s_lostServers.UnionWith(servers);
        }
    }

    /// <summary>Whether a server was lost earlier in this process.</summary>
    public static bool IsLost(string server)
    {
        lock (s_gate)
        {
            return s_lostServers.Contains(server);
        }
    }

    /// <summary>
    /// Runs <paramref name="call"/>. With servers involved it runs on a thread of its own and is given up, and the servers are
    /// marked lost, if llama.cpp aborts elsewhere and the call does not return soon after.
    /// </summary>
    /// <returns>Whether the call came to its end; its own exception is thrown.</returns>
    public static bool Run(IReadOnlyCollection<string> servers, Action call, out string reason)
    {
        reason = string.Empty;
        if (servers.Count == 0)
        {
            call();
            return true;
        }

        Task<string> aborted = Aborted;
        Task task = Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (Task.WaitAny(task, aborted) == 1)
        {
            if (IsStuckAsync(servers, () => !task.IsCompleted).GetAwaiter().GetResult())
            {
                reason = aborted.Result;
                MarkLost(servers);
                return false;
            }

            aborted = Aborted;
        }

        task.GetAwaiter().GetResult();
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnForeignAbort(byte* message)
    {
        try
        {
            TaskCompletionSource<string> source;
            lock (s_gate)
            {
                source = s_next;
                s_next = NewSource();
            }

            source.TrySetResult(Utf8.ToString(message));
        }
        catch (Exception)
        {
            // Nothing may unwind into C.
        }
    }

    private static TaskCompletionSource<string> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

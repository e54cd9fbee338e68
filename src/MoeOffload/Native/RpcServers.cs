namespace MoeOffload.Native;

/// <summary>
/// Tracks the RPC servers that this process is connected to, and those that it lost. llama.cpp has one thread for each connection. If the
/// server fails, <see cref="AbortMonitor"/> blocks this thread, and a call that waits for it would wait forever. Such calls are therefore
/// made with <see cref="Run"/>, which abandons them if the server is lost; longer waits observe the tasks of <see cref="Hold"/>.
/// </summary>
internal static class RpcServers
{
    private const int SearchAttempts = 20;

    private static readonly TimeSpan s_searchInterval = TimeSpan.FromMilliseconds(100);

    // The time for a call that ends in spite of the loss.
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(500);

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, Server> s_servers = new(StringComparer.Ordinal);
    private static string? s_blockedBy;

    /// <summary>Adds a user of servers, such as a model or a call. An abandoned user is never removed, since its connection remains.</summary>
    /// <returns>A task for each server, which completes with the reason when the server is lost.</returns>
    public static Task<string>[] Hold(IReadOnlyCollection<string> servers)
    {
        lock (s_gate)
        {
            foreach (string name in servers)
            {
                Find(name).Holders++;
            }

            return [.. servers.Select(name => Find(name).Lost.Task)];
        }
    }

    /// <summary>Removes a user that <see cref="Hold"/> added.</summary>
    public static void Release(IReadOnlyCollection<string> servers)
    {
        lock (s_gate)
        {
            foreach (string name in servers)
            {
                Find(name).Holders--;
            }
        }
    }

    /// <summary>Determines whether the process has a connection to the server.</summary>
    public static bool IsHeld(string server)
    {
        lock (s_gate)
        {
            return s_servers.TryGetValue(server, out Server? found) && found.Holders > 0;
        }
    }

    /// <summary>Determines whether the server was lost. This is permanent, since llama.cpp never closes a connection whose thread is blocked.</summary>
    public static bool IsLost(string server)
    {
        lock (s_gate)
        {
            return s_servers.TryGetValue(server, out Server? found) && found.Lost.Task.IsCompleted;
        }
    }

    /// <summary>
    /// Runs a call that can wait for servers. It runs on its own thread, and is abandoned together with the thread if a server is lost or
    /// <paramref name="limit"/> has elapsed.
    /// </summary>
    /// <returns><see langword="true"/> if the call completed, and <see langword="false"/> if it was abandoned. Exceptions of the call are rethrown.</returns>
    public static bool Run(IReadOnlyCollection<string> servers, Action call, out string reason, TimeSpan? limit = null)
    {
        reason = string.Empty;
        if (servers.Count == 0)
        {
            call();
            return true;
        }

        Task<string>[] losses = Hold(servers);
        if ((Array.Find(losses, loss => loss.IsCompleted)?.Result ?? s_blockedBy) is { } known)
        {
            Release(servers);
            reason = known;
            return false;
        }

        Task task = Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        int first = Task.WaitAny([task, .. losses], limit ?? Timeout.InfiniteTimeSpan);
        if (first == 0 || Task.WaitAny([task], s_grace) == 0)
        {
            Release(servers);
            task.GetAwaiter().GetResult();
            return true;
        }

        if (first > 0)
        {
            reason = losses[first - 1].Result;
            return false;
        }

        reason = $"no answer within {limit!.Value.TotalSeconds:0} s";
        MarkLost(servers, reason, connectionIsGone: false);
        return false;
    }

    /// <summary>
    /// Prevents further connections. Must be called after the first connection to a server was abandoned, since it may still hold llama.cpp's
    /// lock on all connections.
    /// </summary>
    public static void BlockNewConnections(string reason)
    {
        lock (s_gate)
        {
            s_blockedBy ??= reason;
        }
    }

    /// <summary>Determines which server's connection broke, since llama.cpp's message does not say, and marks the server as lost.</summary>
    public static async Task FindLostAsync(string message)
    {
        for (int attempt = 1; ; attempt++)
        {
            string[] held = Suspects();
            string[] gone = [.. held.Where(server => !RpcEndpoint.IsConnected(server))];
            if (gone.Length > 0 || held.Length == 0)
            {
                MarkLost(gone, message, connectionIsGone: true);
                return;
            }

            if (attempt == SearchAttempts)
            {
                // All connections are established, so a server sent an invalid response. It is not known which one.
                MarkLost(held, message, connectionIsGone: true);
                return;
            }

            await Task.Delay(s_searchInterval).ConfigureAwait(false);
        }
    }

    private static string[] Suspects()
    {
        lock (s_gate)
        {
            return [.. s_servers.Where(server => server.Value.Holders > 0 && !server.Value.ConnectionIsGone).Select(server => server.Key)];
        }
    }

    private static void MarkLost(IEnumerable<string> servers, string reason, bool connectionIsGone)
    {
        lock (s_gate)
        {
            foreach (string name in servers)
            {
                Server server = Find(name);
                server.ConnectionIsGone |= connectionIsGone;
                server.Lost.TrySetResult(reason);
            }
        }
    }

    private static Server Find(string name)
    {
        if (!s_servers.TryGetValue(name, out Server? server))
        {
            server = new Server();
            s_servers.Add(name, server);
        }

        return server;
    }

    private sealed class Server
    {
        public int Holders { get; set; }

        /// <summary>Gets or sets a value that indicates whether the connection's abort was reported. The connection of a server that did not answer can break later.</summary>
        public bool ConnectionIsGone { get; set; }

        public TaskCompletionSource<string> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

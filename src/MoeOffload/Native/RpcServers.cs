namespace MoeOffload.Native;

/// <summary>
/// The RPC servers that this process holds a connection to, and those that it lost. llama.cpp has one thread for each connection;
/// when the server dies that thread is parked (<see cref="AbortMonitor"/>), and whoever waits for it waits for ever. So a call that
/// may wait goes through <see cref="Run"/>, which gives it up once the server is lost, and whoever waits longer watches the losses.
/// </summary>
internal static class RpcServers
{
    private const int SearchAttempts = 20;

    private static readonly TimeSpan s_searchInterval = TimeSpan.FromMilliseconds(100);

    // A call that ends by itself in spite of the loss needs no more than this.
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(500);

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, Server> s_servers = new(StringComparer.Ordinal);
    private static string? s_blockedBy;

    /// <summary>Counts a user of servers: a model, or a call. One that is given up counts for ever, as its connection stays.</summary>
    /// <returns>For each server, a task that completes with the reason once it is lost.</returns>
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

    /// <summary>Takes <see cref="Hold"/> back.</summary>
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

    /// <summary>Whether the process has a connection to the server.</summary>
    public static bool IsHeld(string server)
    {
        lock (s_gate)
        {
            return s_servers.TryGetValue(server, out Server? found) && found.Holders > 0;
        }
    }

    /// <summary>Whether the server was lost. It stays so: llama.cpp never lets go of a connection whose thread is parked.</summary>
    public static bool IsLost(string server)
    {
        lock (s_gate)
        {
            return s_servers.TryGetValue(server, out Server? found) && found.Lost.Task.IsCompleted;
        }
    }

    /// <summary>
    /// Runs a call that may wait for servers. It runs on a thread of its own, and is given up with that thread if one of them is lost or
    /// <paramref name="limit"/> has passed.
    /// </summary>
    /// <returns>Whether the call came to its end; its own exception is thrown.</returns>
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
    /// To be called when a first connection was given up: it may have left llama.cpp's lock on all connections taken, so none is made
    /// any more.
    /// </summary>
    public static void BlockNewConnections(string reason)
    {
        lock (s_gate)
        {
            s_blockedBy ??= reason;
        }
    }

    /// <summary>Finds out whose connection broke, since llama.cpp's message does not say, and marks it lost.</summary>
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
                // All connections stand, so one server answered nonsense. Which one cannot be told.
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

        /// <summary>Whether its abort was seen. A server that was given up for its silence may still break its connection later.</summary>
        public bool ConnectionIsGone { get; set; }

        public TaskCompletionSource<string> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

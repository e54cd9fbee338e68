using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Handles calls of abort() on llama.cpp's own threads, which no caller can catch. The shim blocks such a thread instead of ending the
/// process, and calls this class. If the thread belongs to the RPC client, a server was lost, and <see cref="RpcServers"/> finds out
/// which one. Any other thread took part in a computation, and <see cref="Aborted"/> notifies those who run one.
/// </summary>
internal static class AbortMonitor
{
    private const string RpcSource = "ggml-rpc.cpp";

    private static TaskCompletionSource<string> s_next = NewSource();

    /// <summary>Gets a task that completes with llama.cpp's message when a thread that is not the RPC client's calls abort().</summary>
    public static Task<string> Aborted => Volatile.Read(ref s_next).Task;

    /// <summary>Sets the shim's abort callback. Called once in a process.</summary>
    public static unsafe void Install() => ShimApi.moe_set_abort_callback(NativeCallbacks.Abort);

    /// <summary>Receives the message of a thread that called abort().</summary>
    public static unsafe void Receive(byte* message)
    {
        try
        {
            string text = Utf8.ToString(message);
            if (text.Contains(RpcSource, StringComparison.Ordinal))
            {
                _ = RpcServers.FindLostAsync(NativeError.WithoutFolders(text));
            }
            else
            {
                Interlocked.Exchange(ref s_next, NewSource()).TrySetResult(NativeError.WithoutFolders(text));
            }
        }
        catch (Exception)
        {
            // Exceptions must not propagate into C.
        }
    }

    private static TaskCompletionSource<string> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

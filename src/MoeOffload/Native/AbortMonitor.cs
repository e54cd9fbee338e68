using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// What happens when llama.cpp calls abort() on a thread of its own, which no frame of ours could catch. The shim parks that
/// thread instead of ending the process, and calls here. A thread of the RPC client means a lost server, which <see cref="RpcServers"/>
/// looks for; any other one worked for a computation, and <see cref="Aborted"/> tells those who run one.
/// </summary>
internal static class AbortMonitor
{
    private const string RpcSource = "ggml-rpc.cpp";

    private static TaskCompletionSource<string> s_next = NewSource();

    /// <summary>Completes with llama.cpp's message at the next abort of a thread that is not the RPC client's.</summary>
    public static Task<string> Aborted => Volatile.Read(ref s_next).Task;

    /// <summary>Points the shim's callback here; once for the process.</summary>
    public static unsafe void Install() => ShimApi.moe_set_abort_callback(&OnForeignAbort);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnForeignAbort(byte* message)
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
            // Nothing may unwind into C.
        }
    }

    private static TaskCompletionSource<string> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

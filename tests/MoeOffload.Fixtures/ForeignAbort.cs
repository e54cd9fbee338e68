using System.Runtime.InteropServices;
using MoeOffload.Inference.Running;

namespace MoeOffload.Fixtures;

/// <summary>Calls llama.cpp's abort() on a thread without any frames of ours, as on one of llama.cpp's own threads.</summary>
public static class ForeignAbort
{
    /// <summary>Aborts. The thread is blocked forever.</summary>
    public static unsafe void Raise()
    {
        nint library = NativeLibrary.Load(Path.Combine(NativeBuild.Directory, NativeBuild.FileName("ggml-base")));
        var abort = (delegate* unmanaged[Cdecl]<byte*, int, byte*, void>)NativeLibrary.GetExport(library, "ggml_abort");
        var thread = new Thread(() =>
        {
            fixed (byte* file = "/some/folder/test.c\0"u8)
            fixed (byte* message = "made up\0"u8)
            {
                abort(file, 1, message);
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
    }

    /// <summary>
    /// Aborts once a step hangs. An abort before it, while its input is prepared on another thread, would not be its own. A step that the
    /// device has answered before it froze ends in the time that this takes.
    /// </summary>
    /// <exception cref="OperationCanceledException">No step hangs for two minutes.</exception>
    public static async Task RaiseInHangingStepAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        for (int seen = 0; seen < 100; seen = StepRegistry.Process.IsOnlyOne ? seen + 1 : 0)
        {
            await Task.Delay(10, limit.Token);
        }

        Raise();
    }
}

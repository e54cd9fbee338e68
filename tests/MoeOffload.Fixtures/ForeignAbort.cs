using System.Runtime.InteropServices;

namespace MoeOffload.Fixtures;

/// <summary>Calls llama.cpp's abort() on a thread without any frames of ours, as on one of llama.cpp's own threads.</summary>
public static class ForeignAbort
{
    /// <summary>Aborts. The thread is blocked forever.</summary>
    public static unsafe void Raise()
    {
        nint library = NativeLibrary.Load(Path.Combine(NativeBuild.Directory, "libmoe-ggml-base.so"));
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
}

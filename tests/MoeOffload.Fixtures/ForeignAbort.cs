using System.Runtime.InteropServices;

namespace MoeOffload.Fixtures;

/// <summary>Calls llama.cpp's abort() on a thread that no frame of ours is below of, as one of its own threads would.</summary>
public static class ForeignAbort
{
    /// <summary>Aborts; the thread stays as it is for ever.</summary>
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

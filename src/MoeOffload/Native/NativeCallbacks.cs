using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Contains the functions that native code calls. Nothing else depends on how a framework makes functions for native code, and on
/// .NET Standard, another class of this name does it with delegates.
/// </summary>
internal static unsafe class NativeCallbacks
{
    /// <summary>Gets the function that <see cref="NativeLog"/> receives llama.cpp's lines with.</summary>
    public static delegate* unmanaged[Cdecl]<ggml_log_level, byte*, void*, void> Log => &OnLog;

    /// <summary>Gets the function that reports the progress of loading to <see cref="NativeModel"/>.</summary>
    public static delegate* unmanaged[Cdecl]<float, void*, byte> Progress => &OnProgress;

    /// <summary>Gets the function that notifies <see cref="AbortMonitor"/> of a blocked thread.</summary>
    public static delegate* unmanaged[Cdecl]<byte*, void> Abort => &OnAbort;

    /// <summary>Gets the function that reads the experts that routers choose.</summary>
    public static delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte> Experts => &OnExperts;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(ggml_log_level level, byte* text, void* userData) => NativeLog.Receive(level, text);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnProgress(float progress, void* userData) => NativeModel.ReportProgress(progress, userData);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnAbort(byte* message) => AbortMonitor.Receive(message);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnExperts(ggml_tensor* tensor, byte ask, void* data) => ExpertReading.Receive(tensor, ask, data);
}

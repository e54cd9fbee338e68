using System.Runtime.InteropServices;
using AOT;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Contains the functions that native code calls, as static methods with an attribute from which Unity's IL2CPP compiles them, and as
/// delegates that live as long as the process.
/// </summary>
internal static unsafe class NativeCallbacks
{
    private static readonly LogCallback s_log = OnLog;
    private static readonly ProgressCallback s_progress = OnProgress;
    private static readonly AbortCallback s_abort = OnAbort;
    private static readonly ExpertsCallback s_experts = OnExperts;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void LogCallback(ggml_log_level level, byte* text, void* userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate byte ProgressCallback(float progress, void* userData);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void AbortCallback(byte* message);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate byte ExpertsCallback(ggml_tensor* tensor, byte ask, void* data);

    public static delegate* unmanaged[Cdecl]<ggml_log_level, byte*, void*, void> Log { get; } =
        (delegate* unmanaged[Cdecl]<ggml_log_level, byte*, void*, void>)Marshal.GetFunctionPointerForDelegate(s_log);

    public static delegate* unmanaged[Cdecl]<float, void*, byte> Progress { get; } =
        (delegate* unmanaged[Cdecl]<float, void*, byte>)Marshal.GetFunctionPointerForDelegate(s_progress);

    public static delegate* unmanaged[Cdecl]<byte*, void> Abort { get; } =
        (delegate* unmanaged[Cdecl]<byte*, void>)Marshal.GetFunctionPointerForDelegate(s_abort);

    public static delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte> Experts { get; } =
        (delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte>)Marshal.GetFunctionPointerForDelegate(s_experts);

    [MonoPInvokeCallback(typeof(LogCallback))]
    private static void OnLog(ggml_log_level level, byte* text, void* userData) => NativeLog.Receive(level, text);

    [MonoPInvokeCallback(typeof(ProgressCallback))]
    private static byte OnProgress(float progress, void* userData) => NativeModel.ReportProgress(progress, userData);

    [MonoPInvokeCallback(typeof(AbortCallback))]
    private static void OnAbort(byte* message) => AbortMonitor.Receive(message);

    [MonoPInvokeCallback(typeof(ExpertsCallback))]
    private static byte OnExperts(ggml_tensor* tensor, byte ask, void* data) => ExpertReading.Receive(tensor, ask, data);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MoeOffload.Tests.Experts;

/// <summary>Reads of a model's experts that fail, or that do not return until they are released.</summary>
internal sealed unsafe class BrokenDisk : IDisposable
{
    private static readonly byte* s_reason = (byte*)Marshal.StringToCoTaskMemUTF8("the disk is gone");

    private readonly ManualResetEventSlim _released = new();

    private BrokenDisk(MoeModel model) =>
        model.Native.Handle.Experts!.Inject(&Wait, (void*)GCHandle.ToIntPtr(GCHandle.Alloc(this))); // threads that read can still refer to it

    /// <summary>Is set when a read has begun.</summary>
    public ManualResetEventSlim Entered { get; } = new();

    /// <summary>Makes each read fail.</summary>
    public static void Break(MoeModel model) => model.Native.Handle.Experts!.Inject(&Fail, null);

    /// <summary>Makes reads succeed again.</summary>
    public static void Repair(MoeModel model) => model.Native.Handle.Experts!.Inject(null, null);

    /// <summary>Makes each read wait until <see cref="Dispose"/>.</summary>
    public static BrokenDisk Block(MoeModel model) => new(model);

    public void Dispose() => _released.Set();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* Fail(void* data, int file, ulong offset) => s_reason;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* Wait(void* data, int file, ulong offset)
    {
        var disk = (BrokenDisk)GCHandle.FromIntPtr((nint)data).Target!;
        disk.Entered.Set();
        disk._released.Wait();
        return null;
    }
}

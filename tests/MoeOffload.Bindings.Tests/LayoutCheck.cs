using System.Runtime.InteropServices;

namespace MoeOffload.Bindings.Tests;

/// <summary>A number of a type's layout: as the native build asserts it, and as C# has it.</summary>
internal sealed record LayoutCheck(string What, long Native, long Managed)
{
    /// <summary>The alignment that the runtime gives to a type.</summary>
    public static unsafe long AlignmentOf<T>()
        where T : unmanaged
        => sizeof(AfterOneByte<T>) - sizeof(T);

    [StructLayout(LayoutKind.Sequential)]
    private struct AfterOneByte<T>
        where T : unmanaged
    {
        public byte First;
        public T Value;
    }
}

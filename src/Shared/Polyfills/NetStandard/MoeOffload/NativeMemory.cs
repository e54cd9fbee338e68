namespace System.Runtime.InteropServices;

/// <summary>Allocates native memory, like the class of .NET 6: the members that this library needs.</summary>
internal static unsafe class NativeMemory
{
    public static void* Alloc(nuint byteCount) => (void*)Marshal.AllocHGlobal(checked((nint)byteCount));

    public static void* AllocZeroed(nuint elementCount, nuint elementSize)
    {
        nuint length = checked(elementCount * elementSize);
        void* memory = Alloc(length);
        for (nuint at = 0; at < length; at++)
        {
            ((byte*)memory)[at] = 0;
        }

        return memory;
    }

    public static void Free(void* memory) => Marshal.FreeHGlobal((nint)memory);
}

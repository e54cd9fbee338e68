global using MethodImplOptions = System.Runtime.CompilerServices.MethodImplOptionsPolyfill;

namespace System.Runtime.CompilerServices;

/// <summary>Names the options of methods, with those of .NET Core 3.</summary>
internal static class MethodImplOptionsPolyfill
{
    public const global::System.Runtime.CompilerServices.MethodImplOptions NoInlining = global::System.Runtime.CompilerServices.MethodImplOptions.NoInlining;

    public const global::System.Runtime.CompilerServices.MethodImplOptions AggressiveInlining = global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining;

    public const global::System.Runtime.CompilerServices.MethodImplOptions AggressiveOptimization = (global::System.Runtime.CompilerServices.MethodImplOptions)512;
}

using System.Runtime.CompilerServices;

namespace System.Runtime.InteropServices;

/// <summary>Gives access to the memory of a list, like the class of .NET 5.</summary>
internal static class CollectionsMarshal
{
    /// <summary>Gets the elements of a list. The list must not be changed while they are used.</summary>
    /// <typeparam name="T">The type of the elements.</typeparam>
    /// <param name="list">The list.</param>
    public static Span<T> AsSpan<T>(List<T>? list) =>
        list is null ? default
        : Layout<T>.IsKnown ? Unsafe.As<ListFields<T>>(list).Items.AsSpan(0, list.Count)
        : list.ToArray();

    private static class Layout<T>
    {
        /// <summary>Indicates whether the first field of a list is its array, as it is in .NET, Mono and Unity.</summary>
        public static readonly bool IsKnown = Check();

        private static bool Check()
        {
            List<T> list = new(3) { default!, default! };
            return (object?)Unsafe.As<ListFields<T>>(list).Items is T[] { Length: 3 };
        }
    }

    private sealed class ListFields<T>
    {
        public readonly T[] Items = [];
    }
}

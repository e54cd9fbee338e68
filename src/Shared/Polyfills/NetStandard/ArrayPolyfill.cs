namespace System;

/// <summary>Provides what <see cref="Array"/> has since .NET 6.</summary>
internal static class ArrayPolyfill
{
    extension(Array)
    {
        /// <summary>Sets all elements to their default value.</summary>
        /// <param name="array">The array.</param>
        public static void Clear(Array array) => Array.Clear(array, 0, array.Length);
    }
}

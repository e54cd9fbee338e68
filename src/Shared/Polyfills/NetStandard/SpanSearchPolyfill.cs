namespace System;

/// <summary>Provides what <see cref="MemoryExtensions"/> has since .NET 7.</summary>
internal static class SpanSearchPolyfill
{
    public static int Count<T>(this ReadOnlySpan<T> span, T value)
        where T : IEquatable<T>
    {
        int count = 0;
        foreach (T element in span)
        {
            count += element.Equals(value) ? 1 : 0;
        }

        return count;
    }

    public static bool ContainsAny<T>(this ReadOnlySpan<T> span, ReadOnlySpan<T> values)
        where T : IEquatable<T> => span.IndexOfAny(values) >= 0;

    public static ReadOnlySpan<T> TrimStart<T>(this ReadOnlySpan<T> span, T element)
        where T : IEquatable<T>
    {
        int start = 0;
        while (start < span.Length && span[start].Equals(element))
        {
            start++;
        }

        return span[start..];
    }
}

namespace System;

/// <summary>Provides what <see cref="MemoryExtensions"/> has since .NET 9.</summary>
internal static class SpanPolyfill
{
    /// <summary>Determines whether a span starts with an element.</summary>
    /// <typeparam name="T">The type of the elements.</typeparam>
    /// <param name="span">The span.</param>
    /// <param name="value">The element.</param>
    public static bool StartsWith<T>(this ReadOnlySpan<T> span, T value)
        where T : IEquatable<T> =>
        !span.IsEmpty && span[0].Equals(value);
}

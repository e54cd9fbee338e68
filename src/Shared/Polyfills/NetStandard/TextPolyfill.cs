using System.Runtime.CompilerServices;
using System.Text;

namespace System;

/// <summary>Provides what <see cref="string"/> has since .NET Core 3.</summary>
internal static class TextPolyfill
{
    extension(string)
    {
        /// <summary>Creates a text from an interpolated one.</summary>
        /// <param name="provider">The culture.</param>
        /// <param name="handler">The interpolated text.</param>
        public static string Create(IFormatProvider? provider, [InterpolatedStringHandlerArgument(nameof(provider))] ref DefaultInterpolatedStringHandler handler) =>
            handler.ToStringAndClear();

        /// <summary>Concatenates two texts.</summary>
        /// <param name="first">The first one.</param>
        /// <param name="second">The second one.</param>
        public static string Concat(ReadOnlySpan<char> first, ReadOnlySpan<char> second)
        {
            char[] joined = new char[first.Length + second.Length];
            first.CopyTo(joined);
            second.CopyTo(joined.AsSpan(first.Length));
            return new string(joined);
        }
    }

    /// <summary>Appends an interpolated text.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="provider">The culture.</param>
    /// <param name="handler">The interpolated text, which the compiler has appended.</param>
    public static StringBuilder Append(
        this StringBuilder builder,
        IFormatProvider? provider,
        [InterpolatedStringHandlerArgument(nameof(builder), nameof(provider))] ref AppendInterpolatedStringHandler handler) => builder;
}

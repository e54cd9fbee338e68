namespace System;

/// <summary>Provides what <see cref="Convert"/> has since .NET 9.</summary>
internal static class ConvertPolyfill
{
    extension(Convert)
    {
        /// <summary>Converts bytes to hexadecimal digits with lowercase letters.</summary>
        /// <param name="bytes">The bytes.</param>
        public static string ToHexStringLower(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes).ToLowerInvariant();
    }
}

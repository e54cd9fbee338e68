namespace System.Runtime.InteropServices;

/// <summary>Provides what <see cref="MemoryMarshal"/> has since .NET 6.</summary>
internal static unsafe class MemoryMarshalPolyfill
{
    extension(MemoryMarshal)
    {
        /// <summary>Gets the bytes before the first one that is 0.</summary>
        /// <param name="value">The address, which can be NULL.</param>
        public static ReadOnlySpan<byte> CreateReadOnlySpanFromNullTerminated(byte* value)
        {
            int length = 0;
            while (value != null && value[length] != 0)
            {
                length++;
            }

            return new ReadOnlySpan<byte>(value, length);
        }
    }
}

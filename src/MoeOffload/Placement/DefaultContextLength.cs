namespace MoeOffload.Placement;

/// <summary>Chooses the length of a context whose options leave it open.</summary>
internal static class DefaultContextLength
{
    private const int Usual = 8192;

    // The context may take one part in this many of the memory that the weights leave; compute buffers and other programs need the rest.
    private const int Share = 4;

    /// <summary>Gets the length, in tokens, that is used regardless of the available memory.</summary>
    /// <param name="trainedLength">The length that the model was trained for, in tokens; 0 if it is unknown.</param>
    public static int Shortest(int trainedLength) => trainedLength > 0 ? Math.Min(trainedLength, Usual) : Usual;

    /// <summary>Chooses the longest length that fits in memory, in doubling steps, up to the length that the model was trained for.</summary>
    /// <param name="trainedLength">The length that the model was trained for, in tokens; 0 if it is unknown.</param>
    /// <param name="bytesPerToken">The memory that each token of the context takes, in bytes.</param>
    /// <param name="roomBytes">The memory that is left beside the weights, in bytes.</param>
    public static int Choose(int trainedLength, double bytesPerToken, long roomBytes)
    {
        long length = Shortest(trainedLength);
        while (length < trainedLength)
        {
            long longer = Math.Min(2 * length, trainedLength);
            if (longer * bytesPerToken > roomBytes / Share)
            {
                break;
            }

            length = longer;
        }

        return (int)length;
    }

    /// <summary>Calculates how much of a device's memory is left beside the weights in it.</summary>
    /// <param name="totalBytes">The size of the memory, in bytes.</param>
    /// <param name="freeBytes">
    /// The memory that is free now, in bytes. The system counts the pages of a mapped file as free although the weights in them are needed;
    /// this is why the total size is considered as well.
    /// </param>
    /// <param name="weightBytes">The size of the weights in this memory, in bytes.</param>
    public static long Room(long totalBytes, long freeBytes, long weightBytes) => Math.Max(0, Math.Min(totalBytes - weightBytes, freeBytes));
}

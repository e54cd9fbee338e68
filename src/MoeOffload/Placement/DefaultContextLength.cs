namespace MoeOffload.Placement;

/// <summary>Chooses the length of a context whose options leave it open.</summary>
internal static class DefaultContextLength
{
    private const int Usual = 8192;

    // What the context may take of the memory beside the weights; compute buffers and other programs need the rest.
    private const int Share = 4;

    /// <summary>Gets the length in tokens that is taken without regard to memory.</summary>
    /// <param name="trainedLength">The length that the model was trained for, in tokens; 0 if it is unknown.</param>
    public static int Shortest(int trainedLength) => trainedLength > 0 ? Math.Min(trainedLength, Usual) : Usual;

    /// <summary>Doubles the length as long as the memory has room for it, up to the length that the model was trained for.</summary>
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

    /// <summary>Counts what is left of one memory beside the weights in it.</summary>
    /// <param name="totalBytes">The size of the memory, in bytes.</param>
    /// <param name="freeBytes">
    /// What is free of it now, in bytes. The pages of a mapped file count as free although the weights in them are needed, so that the size
    /// counts too.
    /// </param>
    /// <param name="weightBytes">The weights in it, in bytes.</param>
    public static long Room(long totalBytes, long freeBytes, long weightBytes) => Math.Max(0, Math.Min(totalBytes - weightBytes, freeBytes));
}

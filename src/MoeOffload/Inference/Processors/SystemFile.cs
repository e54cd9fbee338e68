namespace MoeOffload.Inference.Processors;

/// <summary>Reads small files in which Linux describes the machine.</summary>
internal static class SystemFile
{
    /// <summary>Reads a file without the white space at its end, or returns null if it does not exist or cannot be read.</summary>
    public static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).TrimEnd() : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

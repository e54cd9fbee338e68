using System.Security;

namespace MoeOffload.Server.Models;

/// <summary>Represents the size of a file and the time at which it was last written, which show whether it was replaced.</summary>
/// <param name="Bytes">The size in bytes.</param>
/// <param name="WrittenAt">The time at which it was last written, in UTC.</param>
internal readonly record struct FileStamp(long Bytes, DateTime WrittenAt)
{
    /// <summary>Reads the stamp of a file, following links.</summary>
    /// <returns>The stamp, or <see langword="null"/> if the file does not exist or cannot be accessed.</returns>
    public static FileStamp? Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            FileSystemInfo target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            return target is FileInfo { Exists: true } found ? new FileStamp(found.Length, found.LastWriteTimeUtc) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SecurityException)
        {
            return null;
        }
    }
}

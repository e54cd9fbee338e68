using System.Security;

namespace MoeOffload.Server;

/// <summary>Represents what tells a file from another one that takes its place: its size, and when it was last written.</summary>
/// <param name="Bytes">The size.</param>
/// <param name="WrittenAt">When it was last written, in UTC.</param>
internal readonly record struct FileStamp(long Bytes, DateTime WrittenAt)
{
    /// <summary>Reads the stamp of a file, following links.</summary>
    /// <returns>The stamp; null if there is no such file, or it cannot be read.</returns>
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

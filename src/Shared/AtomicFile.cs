using System.Text;

namespace MoeOffload.Shared;

/// <summary>
/// Represents a file that is written beside its destination and moved there once it is complete: whoever opens the destination finds the old
/// content or the new one, whole. Disposing it without <see cref="Commit"/> deletes what was written and keeps the old content.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _destination;

    // Null for a device or a pipe, which is written directly.
    private readonly string? _temporary;
    private bool _isCommitted;

    private AtomicFile(string destination, string? temporary, FileStream stream)
    {
        _destination = destination;
        _temporary = temporary;
        Stream = stream;
    }

    /// <summary>Gets the stream to write to. <see cref="Commit"/> closes it.</summary>
    public FileStream Stream { get; }

    /// <summary>Creates a temporary file in the directory of a destination. A symbolic link stays a link: its target is replaced.</summary>
    /// <param name="path">The destination, which may exist.</param>
    /// <param name="mode">The permissions of a destination that does not exist yet; null uses the usual ones. Windows ignores them.</param>
    /// <exception cref="IOException">The directory does not exist, or the file cannot be created in it.</exception>
    /// <exception cref="UnauthorizedAccessException">The destination or its directory is not writable.</exception>
    public static AtomicFile Create(string path, UnixFileMode? mode = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string full = Path.GetFullPath(path);
        string destination = new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
        if (File.Exists(full))
        {
            // This fails if the file is read-only. Without it, the rename would replace the file nevertheless.
            var existing = new FileStream(full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            if (!existing.CanSeek || IsDevice(full))
            {
                return new AtomicFile(full, temporary: null, existing);
            }

            existing.Dispose();
            mode = OperatingSystem.IsWindows() ? mode : File.GetUnixFileMode(destination);
        }

        string temporary = Path.Combine(Path.GetDirectoryName(destination)!, $".{Path.GetRandomFileName()}.tmp");
        return new AtomicFile(destination, temporary, Open(temporary, destination, mode));
    }

    /// <summary>Writes a text as UTF-8, without a byte order mark.</summary>
    /// <param name="path">The destination, which may exist.</param>
    /// <param name="text">The text.</param>
    /// <param name="mode">The permissions of a destination that does not exist yet; null uses the usual ones. Windows ignores them.</param>
    /// <inheritdoc cref="Create" path="/exception"/>
    public static void WriteAllText(string path, string text, UnixFileMode? mode = null)
    {
        using AtomicFile file = Create(path, mode);
        using (var writer = new StreamWriter(file.Stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 4096, leaveOpen: true))
        {
            writer.Write(text);
        }

        file.Commit();
    }

    /// <summary>Flushes what was written to the disk, and closes the stream. The destination still has its old content.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Complete()
    {
        // Otherwise, a power failure could leave an empty file under the name.
        if (_temporary is not null && Stream.CanWrite)
        {
            Stream.Flush(flushToDisk: true);
        }

        Stream.Dispose();
    }

    /// <summary>Completes the file if <see cref="Complete"/> was not called, and moves it to the destination.</summary>
    /// <exception cref="IOException">The disk is full, or the destination cannot be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The destination cannot be replaced.</exception>
    public void Commit()
    {
        Complete();
        if (_temporary is not null)
        {
            File.Move(_temporary, _destination, overwrite: true);
            _isCommitted = true;
        }
    }

    /// <summary>Closes the stream; deletes the temporary file unless it was committed.</summary>
    public void Dispose()
    {
        try
        {
            Stream.Dispose();
        }
        finally
        {
            if (_temporary is not null && !_isCommitted)
            {
                File.Delete(_temporary);
            }
        }
    }

    private static FileStream Open(string temporary, string destination, UnixFileMode? mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read };
        if (mode is not null && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        try
        {
            return File.Open(temporary, options);
        }
        catch (DirectoryNotFoundException error)
        {
            throw new DirectoryNotFoundException($"'{destination}' cannot be written: its directory does not exist.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new UnauthorizedAccessException($"'{destination}' cannot be written: its directory is not writable.", error);
        }
    }

    // Replacing /dev/null or /dev/stdout would remove it for all processes.
    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows()
        && path.StartsWith("/dev/", StringComparison.Ordinal)
        && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);
}

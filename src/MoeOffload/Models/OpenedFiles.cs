using Microsoft.Win32.SafeHandles;

namespace MoeOffload.Models;

/// <summary>
/// Keeps the files of a loaded model open, so that their headers can be read again after the files were moved, replaced or deleted.
/// Calculating the memory of a context reads them.
/// </summary>
/// <param name="paths">The paths of the files.</param>
internal sealed class OpenedFiles(IReadOnlyList<string> paths) : IDisposable
{
    // On Windows, a file that was opened without FileShare.Delete cannot be moved or deleted, so its path remains valid.
    private static readonly string? s_descriptors =
        OperatingSystem.IsLinux() ? "/proc/self/fd" : OperatingSystem.IsMacOS() ? "/dev/fd" : null;

    private readonly SafeFileHandle[] _handles = [.. paths.Select(path => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read))];

    /// <summary>Calls a function with paths that lead to these files even if they were moved.</summary>
    /// <exception cref="ObjectDisposedException">The files have been closed.</exception>
    public T Read<T>(Func<IReadOnlyList<string>, T> read)
    {
        int held = 0;
        try
        {
            foreach (SafeFileHandle handle in _handles)
            {
                bool added = false;
                handle.DangerousAddRef(ref added);
                held++;
            }

            return read(s_descriptors is null
                ? paths
                : [.. _handles.Select(handle => Path.Combine(s_descriptors, handle.DangerousGetHandle().ToString()))]);
        }
        finally
        {
            foreach (SafeFileHandle handle in _handles.AsSpan(0, held))
            {
                handle.DangerousRelease();
            }
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (SafeFileHandle handle in _handles)
        {
            handle.Dispose();
        }
    }
}

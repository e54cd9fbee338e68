using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace System.IO;

/// <summary>Provides what the classes for files have since .NET 6 and .NET 7.</summary>
internal static class FilePolyfill
{
    private const int MaxLinks = 40;

    // The finalizer of a stream closes its file, so it has to live as long as the handle.
    private static readonly ConditionalWeakTable<SafeFileHandle, FileStream> s_streams = [];

    private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    extension(File)
    {
        /// <summary>Opens a file. The handle owns it.</summary>
        /// <param name="path">The path.</param>
        /// <param name="mode">How to open it.</param>
        /// <param name="access">What it is opened for.</param>
        /// <param name="share">What others can open it for.</param>
        public static SafeFileHandle OpenHandle(
            string path, FileMode mode = FileMode.Open, FileAccess access = FileAccess.Read, FileShare share = FileShare.Read)
        {
            var stream = new FileStream(path, mode, access, share, bufferSize: 1);
            s_streams.Add(stream.SafeFileHandle, stream);
            return stream.SafeFileHandle;
        }

        /// <summary>Opens a file as a stream.</summary>
        /// <param name="path">The path.</param>
        /// <param name="options">How to open it.</param>
        public static FileStream Open(string path, FileStreamOptions options)
        {
            bool isCreated = options.UnixCreateMode is { } mode && !File.Exists(path) && UnixFile.TryCreate(path, mode);
            return new FileStream(path, isCreated ? FileMode.Open : options.Mode, options.Access, options.Share);
        }

        /// <summary>Gets the permissions of a file or directory.</summary>
        /// <param name="path">The path.</param>
        /// <exception cref="FileNotFoundException">There is none.</exception>
        public static UnixFileMode GetUnixFileMode(string path) =>
            UnixFile.ReadMode(path) ?? throw new FileNotFoundException($"Could not find file '{path}'.", path);

        /// <summary>Creates a symbolic link.</summary>
        /// <param name="path">The path of the link.</param>
        /// <param name="pathToTarget">Its target.</param>
        /// <exception cref="IOException">The link could not be created, or the system is Windows.</exception>
        public static FileSystemInfo CreateSymbolicLink(string path, string pathToTarget) =>
            !IsWindows && UnixFile.TryLink(pathToTarget, path) ? new FileInfo(path) : throw new IOException($"Could not create the link '{path}'.");

        /// <summary>Follows a symbolic link to its end, which need not exist. Links on Windows are not followed.</summary>
        /// <param name="linkPath">The full path of the link.</param>
        /// <param name="returnFinalTarget">Must be <see langword="true"/>.</param>
        public static FileSystemInfo? ResolveLinkTarget(string linkPath, bool returnFinalTarget)
        {
            string path = linkPath;
            for (int i = 0; i < MaxLinks; i++)
            {
                if (new FileInfo(path).LinkTarget is not { } target)
                {
                    return i == 0 ? null : new FileInfo(path);
                }

                path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, target));
            }

            throw new IOException($"Too many symbolic links: '{linkPath}'.");
        }
    }

    extension(FileInfo file)
    {
        /// <summary>Gets the target of a symbolic link, or null if the file is not one, and on Windows.</summary>
        public string? LinkTarget => IsWindows ? null : UnixFile.ReadLink(file.FullName);

        /// <summary>Follows a symbolic link to its end, or returns null if the file is not one.</summary>
        /// <param name="returnFinalTarget">Must be <see langword="true"/>.</param>
        public FileSystemInfo? ResolveLinkTarget(bool returnFinalTarget) => File.ResolveLinkTarget(file.FullName, returnFinalTarget);
    }
}

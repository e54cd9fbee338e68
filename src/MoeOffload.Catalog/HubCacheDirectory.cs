using MoeOffload.Shared;

namespace MoeOffload.Catalog;

/// <summary>Writes files to the directory of a repository in the Hugging Face cache.</summary>
/// <param name="cache">The path of the cache.</param>
/// <param name="repository">The name of the repository, <c>ORG/REPO</c>.</param>
internal sealed class HubCacheDirectory(string cache, string repository)
{
    private static readonly TimeSpan s_lockInterval = TimeSpan.FromMilliseconds(200);

    private readonly string _root = HuggingFaceCache.RepositoryDirectory(Path.GetFullPath(cache), repository);

    /// <summary>Gets the path of the content of a file, whether it exists yet or not.</summary>
    public string Blob(HubFile file) => Path.Combine(_root, "blobs", file.Hash);

    /// <summary>Gets the path of a partial download. Hugging Face's tools use the same name.</summary>
    public string Partial(HubFile file) => Blob(file) + ".incomplete";

    /// <summary>Gets the path of a file of a commit.</summary>
    public string Snapshot(string commit, string path) => Path.Combine([_root, "snapshots", commit, .. path.Split('/')]);

    /// <summary>Determines whether a file of a commit is present and complete.</summary>
    public bool Has(string commit, HubFile file) => FileSearch.Length(Snapshot(commit, file.Path)) == file.Bytes;

    /// <summary>Determines whether the content of a file is present and complete.</summary>
    public bool HasBlob(HubFile file) => FileSearch.Length(Blob(file)) == file.Bytes;

    /// <summary>Gets the number of bytes of a file that are still to be downloaded.</summary>
    public long Missing(string commit, HubFile file) =>
        Has(commit, file) || HasBlob(file) ? 0 : Math.Max(0, file.Bytes - (FileSearch.Length(Partial(file)) ?? 0));

    /// <summary>Checks that the disk has enough free space.</summary>
    /// <exception cref="IOException">The disk does not have enough free space.</exception>
    public void RequireSpace(long bytes)
    {
        Directory.CreateDirectory(Path.Combine(_root, "blobs"));
        long free = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(_root)! : _root).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new IOException(
                FormattableString.Invariant($"{bytes / 1e9:0.0} GB are to be downloaded, but the disk of '{cache}' has only {free / 1e9:0.0} GB free. Free some space, or set HF_HOME to a directory on another disk."));
        }
    }

    /// <summary>
    /// Locks a file against other downloads of it in this and other processes, including those of Hugging Face's tools, which use the same
    /// lock file.
    /// </summary>
    public async Task<FileStream> LockAsync(HubFile file, Action waiting, CancellationToken cancellationToken)
    {
        string directory = Path.Combine(Path.GetFullPath(cache), ".locks", Path.GetFileName(_root));
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, file.Hash + ".lock");
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (IsLocked(error))
            {
                waiting();
            }

            await Task.Delay(s_lockInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Moves a completed download to the path of its hash, atomically.</summary>
    public void Complete(HubFile file) => File.Move(Partial(file), Blob(file), overwrite: true);

    /// <summary>Adds a file to the snapshot of a commit: as a link, or as the file itself if links are not permitted.</summary>
    public void Link(string commit, HubFile file)
    {
        string path = Snapshot(commit, file.Path);
        string directory = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(directory);
        string link = Path.Combine(directory, $".{Path.GetRandomFileName()}.tmp");
        try
        {
            File.CreateSymbolicLink(link, Path.GetRelativePath(directory, Blob(file)));
            File.Move(link, path, overwrite: true);
        }
        catch (Exception error) when (OperatingSystem.IsWindows() && error is IOException or UnauthorizedAccessException)
        {
            File.Move(Blob(file), path, overwrite: true);
        }
    }

    /// <summary>Records the commit that a branch or tag refers to.</summary>
    public void SetReference(string revision, string commit)
    {
        if (revision == commit)
        {
            return;
        }

        string path = Path.Combine([_root, "refs", .. revision.Split('/')]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, commit);
    }

    // EWOULDBLOCK on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.
    private static bool IsLocked(IOException error) => error.HResult is 11 or 35 or unchecked((int)0x80070020);
}

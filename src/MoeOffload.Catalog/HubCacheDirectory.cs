using MoeOffload.Shared;

namespace MoeOffload.Catalog;

/// <summary>A repository's directory in the Hugging Face cache, to put files into.</summary>
/// <param name="cache">The cache.</param>
/// <param name="repository">The repository.</param>
internal sealed class HubCacheDirectory(string cache, string repository)
{
    private static readonly TimeSpan s_lockInterval = TimeSpan.FromMilliseconds(200);

    private readonly string _root = HuggingFaceCache.RepositoryDirectory(Path.GetFullPath(cache), repository);

    /// <summary>Where a file's content is, or will be.</summary>
    public string Blob(HubFile file) => Path.Combine(_root, "blobs", file.Hash);

    /// <summary>Where a file's content is collected; the name that Hugging Face's tools use.</summary>
    public string Partial(HubFile file) => Blob(file) + ".incomplete";

    /// <summary>Where a file of a commit is.</summary>
    public string Snapshot(string commit, string path) => Path.Combine([_root, "snapshots", commit, .. path.Split('/')]);

    /// <summary>Whether a file of a commit is here, whole.</summary>
    public bool Has(string commit, HubFile file) => FileSearch.Length(Snapshot(commit, file.Path)) == file.Bytes;

    /// <summary>Whether a file's content is here, whole.</summary>
    public bool HasBlob(HubFile file) => FileSearch.Length(Blob(file)) == file.Bytes;

    /// <summary>Bytes of a file that are still to come.</summary>
    public long Missing(string commit, HubFile file) =>
        Has(commit, file) || HasBlob(file) ? 0 : Math.Max(0, file.Bytes - (FileSearch.Length(Partial(file)) ?? 0));

    /// <summary>Checks that the disk has room.</summary>
    /// <exception cref="IOException">It has not.</exception>
    public void RequireSpace(long bytes)
    {
        Directory.CreateDirectory(Path.Combine(_root, "blobs"));
        long free = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(_root)! : _root).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new IOException(
                FormattableString.Invariant($"{bytes / 1e9:0.0} GB are to be downloaded, and the disk of '{cache}' has {free / 1e9:0.0} GB free. Make room, or set HF_HOME to another disk."));
        }
    }

    /// <summary>
    /// Keeps other pulls of a file out, in this and other processes, those of Hugging Face's tools included (they lock the same file the
    /// same way).
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

    /// <summary>Makes a collected file the content of its hash, in one step.</summary>
    public void Complete(HubFile file) => File.Move(Partial(file), Blob(file), overwrite: true);

    /// <summary>Shows a file's content in a commit's snapshot: as a link, or where links are not allowed as the file itself.</summary>
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

    /// <summary>Notes which commit a branch or tag leads to.</summary>
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

    // EWOULDBLOCK of Linux and macOS, ERROR_SHARING_VIOLATION of Windows.
    private static bool IsLocked(IOException error) => error.HResult is 11 or 35 or unchecked((int)0x80070020);
}

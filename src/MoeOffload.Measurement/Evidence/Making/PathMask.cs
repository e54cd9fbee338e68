namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Takes a machine's directories out of texts: they tell others nothing, and its owner's name maybe.</summary>
internal sealed class PathMask
{
    private readonly (string Path, string Mask)[] _masks;

    /// <summary>Makes a mask.</summary>
    /// <param name="directories">Directories, and what stands for them; an empty text leaves the file's name alone.</param>
    public PathMask(params IEnumerable<(string Directory, string Mask)> directories)
    {
        // A directory within another one goes first.
        _masks =
        [
            .. directories.Where(item => item.Directory.Length > 1)
                .Select(item => (Path.TrimEndingDirectorySeparator(Path.GetFullPath(item.Directory)), item.Mask))
                .OrderByDescending(item => item.Item1.Length),
        ];
    }

    /// <summary>The mask of what is the same for all models.</summary>
    public static (string Directory, string Mask)[] Usual(string nativeDirectory) =>
    [
        (nativeDirectory, "<native>"),
        (Environment.CurrentDirectory, "."),
        (Path.GetTempPath(), "<tmp>"),
        (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), "~"),
    ];

    /// <summary>A text without the directories.</summary>
    public string Apply(string text)
    {
        foreach ((string path, string mask) in _masks)
        {
            text = mask.Length == 0 ? text.Replace(path + Path.DirectorySeparatorChar, mask, StringComparison.Ordinal) : text.Replace(path, mask, StringComparison.Ordinal);
        }

        return text;
    }
}

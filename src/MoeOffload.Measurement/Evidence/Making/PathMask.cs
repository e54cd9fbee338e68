namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Removes the machine's directories from texts, because they can contain the name of the user and are of no use to others.</summary>
internal sealed class PathMask
{
    private readonly (string Path, string Mask)[] _masks;

    /// <summary>Initializes a mask.</summary>
    /// <param name="directories">The directories and their replacements. An empty replacement leaves only the file name.</param>
    public PathMask(params IEnumerable<(string Directory, string Mask)> directories)
    {
        // Subdirectories must be replaced before their parents.
        _masks =
        [
            .. directories.Where(item => item.Directory.Length > 1)
                .Select(item => (Path.TrimEndingDirectorySeparator(Path.GetFullPath(item.Directory)), item.Mask))
                .OrderByDescending(item => item.Item1.Length),
        ];
    }

    /// <summary>Returns the mask of the directories that do not depend on the model.</summary>
    public static (string Directory, string Mask)[] Usual(string nativeDirectory) =>
    [
        (nativeDirectory, "<native>"),
        (Environment.CurrentDirectory, "."),
        (Path.GetTempPath(), "<tmp>"),
        (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), "~"),
    ];

    /// <summary>Returns a text without the directories.</summary>
    public string Apply(string text)
    {
        foreach ((string path, string mask) in _masks)
        {
            text = mask.Length == 0 ? text.Replace(path + Path.DirectorySeparatorChar, mask, StringComparison.Ordinal) : text.Replace(path, mask, StringComparison.Ordinal);
        }

        return text;
    }
}

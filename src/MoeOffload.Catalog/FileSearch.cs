using System.Security;

namespace MoeOffload.Catalog;

/// <summary>Searches directories that may be unreadable, disappear, or contain circular links. What cannot be read is skipped.</summary>
internal static class FileSearch
{
    private const int DeepestDirectory = 8;

    /// <summary>Finds the models in a directory, given by its full path, and in its subdirectories, ordered by path.</summary>
    public static IEnumerable<FoundModel> Models(string root)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<(string Path, string Relative, int Depth)>();
        pending.Push((root, string.Empty, 0));
        while (pending.TryPop(out (string Path, string Relative, int Depth) at))
        {
            // Directories are searched at their real location, so that a link to a parent directory does not cause a loop.
            string place = Target(at.Path);
            if (!seen.Add(place))
            {
                continue;
            }

            foreach (FoundModel model in ModelsIn(place, at.Relative))
            {
                yield return model;
            }

            if (at.Depth < DeepestDirectory)
            {
                foreach (string directory in Enumerable.Reverse(Directories(place)))
                {
                    pending.Push((directory, at.Relative + Path.GetFileName(directory) + "/", at.Depth + 1));
                }
            }
        }
    }

    /// <summary>Gets the model at the path of a file with any extension, or <see langword="null"/> if there is no such file.</summary>
    public static FoundModel? Model(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        string file = Path.GetFileName(path);
        return GgufFileName.TryParse(file, out _)
            ? ModelsIn(Path.GetDirectoryName(path)!, string.Empty).FirstOrDefault(model => Path.GetFileName(model.Path) == file)
            : new FoundModel(path, file, new GgufFileName(file, 1, 1), Length(path) ?? 0);
    }

    /// <summary>Gets the sorted subdirectories of a directory, or none if it cannot be read.</summary>
    public static string[] Directories(string path) => Sorted(() => Directory.GetDirectories(path));

    /// <summary>Gets the sorted files in a directory, or none if it cannot be read.</summary>
    public static string[] Files(string path) => Sorted(() => Directory.GetFiles(path));

    /// <summary>Gets the size of a file, following links, in bytes, or <see langword="null"/> if it does not exist or cannot be accessed.</summary>
    public static long? Length(string path) => Try<long?>(() =>
    {
        var file = new FileInfo(path);
        return (file.ResolveLinkTarget(returnFinalTarget: true) ?? file) is FileInfo { Exists: true } target ? target.Length : null;
    });

    /// <summary>Gets the final target of a path that is a link, or the path itself if the link is broken or circular.</summary>
    public static string Target(string path) => Try(() => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName) ?? path;

    /// <summary>Gets the result of a function, or <see langword="null"/> if the file system denies it.</summary>
    public static T? Try<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SecurityException or ArgumentException or NotSupportedException)
        {
            return default;
        }
    }

    private static IEnumerable<FoundModel> ModelsIn(string directory, string relative)
    {
        var parts = new List<(string Path, GgufFileName Name, long Bytes)>();
        foreach (string path in Files(directory))
        {
            if (GgufFileName.TryParse(Path.GetFileName(path), out GgufFileName name) && !name.IsProjector && Length(path) is { } bytes)
            {
                parts.Add((path, name, bytes));
            }
        }

        // Later parts without the first one cannot be loaded.
        foreach ((string path, GgufFileName name, long bytes) in parts.Where(part => part.Name.Part == 1))
        {
            long others = parts.Where(part => part.Name.Part > 1 && part.Name with { Part = 1 } == name).Sum(part => part.Bytes);
            yield return new FoundModel(path, relative + name.Stem, name, bytes + others);
        }
    }

    private static string[] Sorted(Func<string[]> read)
    {
        string[] paths = Try(read) ?? [];
        Array.Sort(paths, StringComparer.Ordinal);
        return paths;
    }
}

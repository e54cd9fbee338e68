namespace TinyMoe.World;

/// <summary>Reads the text files next to this file, which define the world: lines that are not comments, without trailing spaces.</summary>
internal static class Resources
{
    public static IReadOnlyList<string> Lines(string name)
    {
        using Stream stream = typeof(Resources).Assembly.GetManifestResourceStream($"TinyMoe.World.{name}.txt")
            ?? throw new FileNotFoundException($"The resource {name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith('#')).Select(line => line.Trim())];
    }

    /// <summary>Gets the parts of a line, without the spaces around them.</summary>
    public static string[] Parts(string line, char separator) => line.Split(separator, StringSplitOptions.TrimEntries);
}

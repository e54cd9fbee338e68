namespace TinyMoe.World;

/// <summary>The texts beside this file, which are the world: lines that are no comments, without the spaces at their ends.</summary>
internal static class Resources
{
    public static IReadOnlyList<string> Lines(string name)
    {
        using Stream stream = typeof(Resources).Assembly.GetManifestResourceStream($"TinyMoe.World.{name}.txt")
            ?? throw new FileNotFoundException($"The resource {name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith('#')).Select(line => line.Trim())];
    }

    /// <summary>The parts of a line, whatever space is around them.</summary>
    public static string[] Parts(string line, char separator) => line.Split(separator, StringSplitOptions.TrimEntries);
}

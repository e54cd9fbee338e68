using System.Globalization;

namespace MoeOffload.Tests.Inference.Processors;

/// <summary>A directory with the files in which Linux describes a machine.</summary>
internal sealed class DescribedMachine : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("machine-");

    /// <summary>The root of the file system.</summary>
    public string Root => _root.FullName;

    /// <summary>Adds a logical processor.</summary>
    public DescribedMachine With(int processor, string siblings, int? capacity = null)
    {
        string directory = string.Create(CultureInfo.InvariantCulture, $"sys/devices/system/cpu/cpu{processor}");
        With($"{directory}/topology/thread_siblings_list", siblings + "\n");
        return capacity is { } value ? With($"{directory}/cpu_capacity", value.ToString(CultureInfo.InvariantCulture) + "\n") : this;
    }

    /// <summary>Adds a file.</summary>
    public DescribedMachine With(string path, string text)
    {
        string full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Delete(recursive: true);
}

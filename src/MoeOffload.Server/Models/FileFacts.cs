using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MoeOffload.Catalog;
using MoeOffload.Gguf;

namespace MoeOffload.Server;

/// <summary>What a model's file says of it, without loading it.</summary>
/// <param name="Architecture">The architecture; empty where the file cannot be read.</param>
/// <param name="ParameterCount">Number of weights; 0 where the file cannot be read.</param>
/// <param name="Quantization">The type that holds most of its bytes.</param>
/// <param name="ModifiedAt">When the file was last written, in UTC.</param>
internal sealed record FileFacts(string Architecture, long ParameterCount, string Quantization, DateTime ModifiedAt)
{
    private const string BlobPrefix = "sha256-";

    /// <summary>The number of weights as <c>8.9M</c> or <c>20.9B</c>; empty where unknown.</summary>
    public string ParameterSize => ParameterCount switch
    {
        0 => string.Empty,
        < 1_000_000 => Rounded(1e3, "K"),
        < 1_000_000_000 => Rounded(1e6, "M"),
        _ => Rounded(1e9, "B"),
    };

    /// <summary>
    /// 64 hexadecimal digits that tell a model's file from others: the SHA-256 of its content where its name has it, as in Ollama's store,
    /// else one of its place, size and time, since hashing what has tens of gigabytes takes minutes.
    /// </summary>
    public string DigestOf(CatalogEntry entry)
    {
        string name = Path.GetFileName(entry.Path);
        if (name.StartsWith(BlobPrefix, StringComparison.Ordinal) && name.Length == BlobPrefix.Length + 64)
        {
            return name[BlobPrefix.Length..];
        }

        string identity = string.Create(CultureInfo.InvariantCulture, $"{entry.Path}\n{entry.Bytes}\n{ModifiedAt.Ticks}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)));
    }

    private string Rounded(double unit, string letter) => (ParameterCount / unit).ToString("0.0", CultureInfo.InvariantCulture) + letter;
}

/// <summary>Reads what model files say, each once as long as it stays the same.</summary>
internal sealed class FileFactsReader
{
    private const int MostFiles = 4096;

    private readonly ConcurrentDictionary<string, (long Bytes, FileFacts Facts)> _known = new(StringComparer.Ordinal);

    public FileFacts Read(CatalogEntry entry)
    {
        DateTime modified = File.GetLastWriteTimeUtc(entry.Path);
        if (_known.TryGetValue(entry.Path, out (long Bytes, FileFacts Facts) known) && known.Bytes == entry.Bytes && known.Facts.ModifiedAt == modified)
        {
            return known.Facts;
        }

        FileFacts facts = Open(entry.Path, modified);
        if (_known.Count < MostFiles)
        {
            _known[entry.Path] = (entry.Bytes, facts);
        }

        return facts;
    }

    // A file that is damaged stays in the lists, and says what is wrong when it is loaded.
    private static FileFacts Open(string path, DateTime modified)
    {
        try
        {
            GgufModelFiles files = GgufModelFiles.Open(path);
            files.Metadata.TryGetString(GgufKeys.Architecture, out string architecture);
            GgmlType? most = files.Tensors.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => tensor.ByteCount))?.Key;
            return new FileFacts(
                architecture ?? string.Empty,
                files.Tensors.Sum(tensor => tensor.ElementCount),
                most is { } type && GgmlTypeInfo.TryGet(type, out GgmlTypeInfo info) ? info.Name.ToUpperInvariant() : string.Empty,
                modified);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or MoeOffloadException)
        {
            return new FileFacts(string.Empty, 0, string.Empty, modified);
        }
    }
}

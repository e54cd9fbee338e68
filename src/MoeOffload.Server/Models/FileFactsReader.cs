using System.Collections.Concurrent;
using MoeOffload.Catalog;
using MoeOffload.Gguf;

namespace MoeOffload.Server.Models;

/// <summary>Reads the facts about model files, each file once until it changes.</summary>
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

    // A damaged file stays in the lists. Loading it reports the error.
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

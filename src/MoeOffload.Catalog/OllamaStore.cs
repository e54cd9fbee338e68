using System.Text.Json;
using System.Text.RegularExpressions;

namespace MoeOffload.Catalog;

/// <summary>
/// Reads Ollama's store: <c>manifests/HOST/NAMESPACE/NAME/TAG</c>, each of which is an OCI image manifest whose layers are in <c>blobs</c> under the name of
/// their hash.
/// </summary>
internal static partial class OllamaStore
{
    private const string DefaultHost = "registry.ollama.ai";
    private const string DefaultNamespace = "library";
    private const string ModelLayer = "application/vnd.ollama.image.model";
    private const long LargestManifest = 1 << 20;

    public static IEnumerable<CatalogCandidate> Find(string root)
    {
        foreach (string host in FileSearch.Directories(Path.Combine(root, "manifests")))
        {
            foreach (string space in FileSearch.Directories(host))
            {
                foreach (string model in FileSearch.Directories(space))
                {
                    foreach (string tag in FileSearch.Files(model))
                    {
                        if (FileSearch.Try(() => ReadModelDigest(tag)) is { } digest && FindBlob(root, digest) is { } blob)
                        {
                            yield return new CatalogCandidate(blob.Path, blob.Bytes, ModelSource.Ollama, Names(tag), Aliases(tag));
                        }
                    }
                }
            }
        }
    }

    private static string? ReadModelDigest(string manifest)
    {
        if (FileSearch.Length(manifest) is null or > LargestManifest)
        {
            return null;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(manifest));
            foreach (JsonElement layer in json.RootElement.GetProperty("layers").EnumerateArray())
            {
                if (layer.GetProperty("mediaType").GetString() == ModelLayer)
                {
                    return layer.GetProperty("digest").GetString();
                }
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // The file is not the manifest of a model.
        }

        return null;
    }

    private static (string Path, long Bytes)? FindBlob(string root, string digest)
    {
        if (!Digest().IsMatch(digest))
        {
            return null;
        }

        // Older versions used the digest without replacing the colon.
        foreach (string name in new[] { digest.Replace(':', '-'), digest })
        {
            string path = Path.Combine(root, "blobs", name);
            if (FileSearch.Length(path) is { } bytes)
            {
                return (path, bytes);
            }
        }

        return null;
    }

    private static string[] Names(string manifest)
    {
        string[] parts = Parts(manifest);
        string[] named = parts[0] != DefaultHost ? parts : parts[1] != DefaultNamespace ? parts[1..] : parts[2..];
        return [string.Join('/', named[..^1]) + ":" + named[^1]];
    }

    private static string[] Aliases(string manifest)
    {
        string[] parts = Parts(manifest);
        string[] shorter = [$"{parts[1]}/{parts[2]}:{parts[3]}", .. Names(manifest)];
        return parts[3] == "latest" ? [.. shorter, .. shorter.Select(name => name[..^":latest".Length])] : shorter;
    }

    private static string[] Parts(string manifest) => manifest.Split(Path.DirectorySeparatorChar)[^4..];

    // The digest becomes part of a path, so it must not contain anything else.
    [GeneratedRegex(@"^sha256[:-][0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}

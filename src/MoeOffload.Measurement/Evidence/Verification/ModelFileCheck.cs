using System.Security.Cryptography;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Whether a model's file is the one that was measured.</summary>
internal static class ModelFileCheck
{
    /// <summary>Hashes a model's files, which takes as long as the disk needs.</summary>
    /// <exception cref="GgufFormatException">The file is no model.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static async Task<Problem?> FindAsync(EvidenceFolder folder, string path, CancellationToken cancellationToken)
    {
        string[] hashes = await HashAsync(GgufModelFiles.Open(path), cancellationToken).ConfigureAwait(false);
        bool isKnown = folder.Models.Any(model => model.Facts.Objects("files").Select(file => file.Text("sha256")).SequenceEqual(hashes));
        return isKnown ? null : new Problem(path, $"its SHA-256 is {string.Join(", ", hashes)}, which is not that of a measured model.");
    }

    /// <summary>The hashes of a model's files.</summary>
    public static async Task<string[]> HashAsync(GgufModelFiles model, CancellationToken cancellationToken)
    {
        var hashes = new List<string>();
        foreach (GgufFile part in model.Parts)
        {
            using FileStream stream = File.OpenRead(part.Path!);
            hashes.Add(Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false)));
        }

        return [.. hashes];
    }
}

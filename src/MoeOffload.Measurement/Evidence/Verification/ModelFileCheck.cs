using System.Security.Cryptography;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Checks that a model file is the one that was measured.</summary>
internal static class ModelFileCheck
{
    /// <summary>Hashes the files of a model and compares the hashes. This reads the whole files.</summary>
    /// <exception cref="GgufFormatException">The file is not a model.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<Problem?> FindAsync(EvidenceFolder folder, string path, CancellationToken cancellationToken)
    {
        string[] hashes = await HashAsync(GgufModelFiles.Open(path), cancellationToken).ConfigureAwait(false);
        bool isKnown = folder.Models.Any(model => model.Facts.Objects("files").Select(file => file.Text("sha256")).SequenceEqual(hashes));
        return isKnown ? null : new Problem(path, $"its SHA-256 is {string.Join(", ", hashes)}, which is not that of a measured model.");
    }

    /// <summary>Computes the hashes of a model's files.</summary>
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

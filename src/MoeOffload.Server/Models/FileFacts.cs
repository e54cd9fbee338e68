using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MoeOffload.Catalog;

namespace MoeOffload.Server.Models;

/// <summary>Represents the properties of a model that are read from its file, without loading it.</summary>
/// <param name="Architecture">The architecture, or an empty string if the file cannot be read.</param>
/// <param name="ParameterCount">The number of weights, or 0 if the file cannot be read.</param>
/// <param name="Quantization">The tensor type with the largest share of its bytes.</param>
/// <param name="ModifiedAt">The time at which the file was last written, in UTC.</param>
internal sealed record FileFacts(string Architecture, long ParameterCount, string Quantization, DateTime ModifiedAt)
{
    private const string BlobPrefix = "sha256-";

    /// <summary>Gets the number of weights such as <c>8.9M</c> or <c>20.9B</c>, or an empty string if it is unknown.</summary>
    public string ParameterSize => ParameterCount switch
    {
        0 => string.Empty,
        < 1_000_000 => Rounded(1e3, "K"),
        < 1_000_000_000 => Rounded(1e6, "M"),
        _ => Rounded(1e9, "B"),
    };

    /// <summary>
    /// Gets 64 hexadecimal digits that identify a model's file: the SHA-256 of its content if its name contains it, as in Ollama's store;
    /// otherwise, the SHA-256 of its path, size and time, because hashing tens of gigabytes takes minutes.
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

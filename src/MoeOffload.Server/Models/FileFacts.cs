using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>Represents what a model's file says of it, without loading it.</summary>
/// <param name="Architecture">The architecture; empty if the file cannot be read.</param>
/// <param name="ParameterCount">Number of weights; 0 if the file cannot be read.</param>
/// <param name="Quantization">The type that holds most of its bytes.</param>
/// <param name="ModifiedAt">When the file was last written, in UTC.</param>
internal sealed record FileFacts(string Architecture, long ParameterCount, string Quantization, DateTime ModifiedAt)
{
    private const string BlobPrefix = "sha256-";

    /// <summary>Gets the number of weights as <c>8.9M</c> or <c>20.9B</c>; empty if unknown.</summary>
    public string ParameterSize => ParameterCount switch
    {
        0 => string.Empty,
        < 1_000_000 => Rounded(1e3, "K"),
        < 1_000_000_000 => Rounded(1e6, "M"),
        _ => Rounded(1e9, "B"),
    };

    /// <summary>
    /// Gets 64 hexadecimal digits that tell a model's file from others: the SHA-256 of its content if its name has it, as in Ollama's store,
    /// else one of its place, size and time, since hashing tens of gigabytes takes minutes.
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

namespace MoeOffload.Catalog;

/// <summary>Represents a file in a repository of a hub.</summary>
/// <param name="Path">The path in the repository, with <c>/</c>.</param>
/// <param name="Bytes">The size in bytes.</param>
/// <param name="Hash">
/// The expected hash, in hexadecimal digits: 64 digits of SHA-256 if the hub stores it as a large file; otherwise, 40 digits of git's SHA-1.
/// </param>
internal sealed record HubFile(string Path, long Bytes, string Hash)
{
    /// <summary>Gets the length of a SHA-256 hash in hexadecimal digits.</summary>
    public const int Sha256Length = 64;

    /// <summary>Gets the length of a SHA-1 hash in hexadecimal digits.</summary>
    public const int GitLength = 40;
}

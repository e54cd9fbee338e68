namespace MoeOffload.Catalog;

/// <summary>A file of a hub's repository.</summary>
/// <param name="Path">Its path in the repository, with <c>/</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Hash">
/// The hash that it must have, in hexadecimal digits: 64 of SHA-256 where the hub stores it as a large file, else 40 of git's SHA-1.
/// </param>
internal sealed record HubFile(string Path, long Bytes, string Hash)
{
    /// <summary>The length of a SHA-256 in hexadecimal digits.</summary>
    public const int Sha256Length = 64;

    /// <summary>The length of a SHA-1 in hexadecimal digits.</summary>
    public const int GitLength = 40;
}

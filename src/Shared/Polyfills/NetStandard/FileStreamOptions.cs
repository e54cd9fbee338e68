namespace System.IO;

/// <summary>Specifies how a file is opened, like the class of .NET 6: the members that this library needs.</summary>
internal sealed class FileStreamOptions
{
    public FileMode Mode { get; set; } = FileMode.Open;

    public FileAccess Access { get; set; } = FileAccess.Read;

    public FileShare Share { get; set; } = FileShare.Read;

    public UnixFileMode? UnixCreateMode { get; set; }
}

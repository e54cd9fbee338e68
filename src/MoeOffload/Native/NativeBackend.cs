namespace MoeOffload.Native;

/// <summary>Represents a backend library that was found.</summary>
/// <param name="Name">The name of the backend.</param>
/// <param name="Path">The path of the library's file.</param>
/// <param name="LoadError">The reason why the library is not in use, or <see langword="null"/> if it is.</param>
internal sealed record NativeBackend(string Name, string Path, string? LoadError);

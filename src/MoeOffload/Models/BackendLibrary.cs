namespace MoeOffload;

/// <summary>Represents a backend library that was found beside the native libraries.</summary>
/// <param name="Name">The backend's name, such as <c>cuda</c>, <c>rpc</c> or <c>cpu-haswell</c>.</param>
/// <param name="Path">The path of the library's file.</param>
/// <param name="LoadError">The reason why the library is not in use, or <see langword="null"/> if it is.</param>
public sealed record BackendLibrary(string Name, string Path, string? LoadError);

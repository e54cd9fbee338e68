namespace MoeOffload;

/// <summary>A backend library that was found beside the native libraries.</summary>
/// <param name="Name">What it is for: <c>cuda</c>, <c>rpc</c>, <c>cpu-haswell</c>.</param>
/// <param name="Path">The file.</param>
/// <param name="NotLoaded">Why it is not in use; null where it is.</param>
public sealed record BackendLibrary(string Name, string Path, string? NotLoaded);

namespace MoeOffload.Native;

/// <summary>Represents a backend library that was found.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Path">Its file.</param>
/// <param name="NotLoaded">Why it is not in use; null if it is.</param>
internal sealed record NativeBackend(string Name, string Path, string? NotLoaded);

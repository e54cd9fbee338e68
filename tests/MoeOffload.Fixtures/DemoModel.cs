namespace MoeOffload.Fixtures;

/// <summary>The small trained model that comes with the project, for tests that need meaningful text.</summary>
public static class DemoModel
{
    /// <summary>Its file.</summary>
    public static string Path { get; } = System.IO.Path.Combine(NativeBuild.Repository, "samples", "TinyMoe", "tiny-moe.gguf");
}

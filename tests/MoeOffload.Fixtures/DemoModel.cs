namespace MoeOffload.Fixtures;

/// <summary>The small trained model that comes with the project, where a test wants meaning rather than noise.</summary>
public static class DemoModel
{
    /// <summary>Its file.</summary>
    public static string Path { get; } = System.IO.Path.Combine(NativeBuild.Repository, "samples", "TinyMoe", "tiny-moe.gguf");
}

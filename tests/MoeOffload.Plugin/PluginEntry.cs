namespace MoeOffload.Plugin;

/// <summary>A plugin that uses the library.</summary>
public static class PluginEntry
{
    /// <summary>Loads a model, and returns where the native libraries are and what it generates.</summary>
    public static string Run(string path)
    {
        using MoeModel model = MoeModel.Load(path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1 } });
        string text = string.Concat(session.GenerateAsync("Once", SamplingOptions.Greedy, 8).ToBlockingEnumerable().Select(token => token.Text));
        return $"{MoeModel.DescribeRuntime().Directory}\n{text}";
    }
}

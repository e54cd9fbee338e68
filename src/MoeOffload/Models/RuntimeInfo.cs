namespace MoeOffload;

/// <summary>The native libraries of this process.</summary>
/// <param name="LlamaCppVersion">llama.cpp's version.</param>
/// <param name="Directory">Where the libraries were found.</param>
/// <param name="Backends">The backend libraries that were found, those in use and the others.</param>
/// <param name="Features">What the backends in use were built for or found, such as <c>CPU: AVX2</c> or <c>CUDA: ARCHS = 800</c>.</param>
public sealed record RuntimeInfo(string LlamaCppVersion, string Directory, IReadOnlyList<BackendLibrary> Backends, IReadOnlyList<string> Features)
{
    /// <summary>Reads llama.cpp's line of features: <c>CPU : SSE3 = 1 | AVX = 1 | CUDA : ARCHS = 800 | </c>.</summary>
    internal static IReadOnlyList<string> ReadFeatures(string line)
    {
        var features = new List<string>();
        string backend = string.Empty;
        foreach (string part in line.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string feature = part;
            if (part.Split(" : ") is [var name, var first])
            {
                backend = name.Trim();
                feature = first.Trim();
            }

            if (!feature.EndsWith(" = 0", StringComparison.Ordinal))
            {
                features.Add($"{backend}: {(feature.EndsWith(" = 1", StringComparison.Ordinal) ? feature[..^" = 1".Length] : feature)}");
            }
        }

        return features;
    }
}

namespace MoeOffload;

/// <summary>Represents the native libraries that this process uses.</summary>
/// <param name="LlamaCppVersion">llama.cpp's version.</param>
/// <param name="Directory">The directory that the libraries were loaded from.</param>
/// <param name="Backends">The backend libraries that were found, whether or not they are in use.</param>
/// <param name="Features">The features of the backends in use, such as <c>CPU: AVX2</c> or <c>CUDA: ARCHS = 800</c>.</param>
public sealed record RuntimeInfo(string LlamaCppVersion, string Directory, IReadOnlyList<BackendLibrary> Backends, IReadOnlyList<string> Features)
{
    /// <summary>Parses llama.cpp's line of features: <c>CPU : SSE3 = 1 | AVX = 1 | CUDA : ARCHS = 800 | </c>.</summary>
    internal static IReadOnlyList<string> ReadFeatures(string line)
    {
        var features = new List<string>();
        string backend = string.Empty;
        foreach (string part in line.Split('|').Select(static part => part.Trim()).Where(static part => part.Length > 0))
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

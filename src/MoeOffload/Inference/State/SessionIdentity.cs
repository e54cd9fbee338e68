using System.Globalization;
using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>Lists, as lines of text, the properties that must match for a saved state to be valid.</summary>
internal static class SessionIdentity
{
    /// <summary>Returns the lines for a session.</summary>
    /// <exception cref="IOException">The model file can no longer be read.</exception>
    public static IReadOnlyList<string> Of(LoadedModel model, ContextParameters parameters)
    {
        CacheFormat cache = parameters.ToSettings().DescribeCache();
        return
        [
            $"llama.cpp {NativeRuntime.Version}",
            $"architecture {model.Info.Architecture}",
            $"model {model.Fingerprint}",
            $"type of keys {cache.KeyType}",
            $"type of values {cache.ValueType}",
            string.Create(CultureInfo.InvariantCulture, $"parts of the KV cache {parameters.PartCount}"),
            $"whole sliding windows {cache.FullSizeSwa}",
            $"rope {cache.Rope}",
        ];
    }
}

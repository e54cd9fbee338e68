using System.Globalization;
using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>Says what must be the same for a saved state to mean the same, in lines of text.</summary>
internal static class SessionIdentity
{
    /// <summary>Writes the lines of a session.</summary>
    /// <exception cref="IOException">The model's file cannot be read any more.</exception>
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

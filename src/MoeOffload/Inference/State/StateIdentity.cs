using System.Globalization;
using System.Text;
using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>
/// Represents the properties of a session that must match for a saved state to be valid, one per line. They are at the beginning of the
/// file.
/// </summary>
internal sealed class StateIdentity
{
    private readonly string[] _lines;

    private StateIdentity(string[] lines) => _lines = lines;

    /// <summary>Returns the identity of a session.</summary>
    /// <exception cref="IOException">The model file can no longer be read.</exception>
    public static StateIdentity Of(LoadedModel model, ContextParameters parameters)
    {
        CacheFormat cache = parameters.ToSettings().DescribeCache();
        return new StateIdentity(
        [
            $"llama.cpp {NativeRuntime.Version}",
            $"architecture {model.Info.Architecture}",
            $"model {model.Fingerprint}",
            $"type of keys {cache.KeyType}",
            $"type of values {cache.ValueType}",
            string.Create(CultureInfo.InvariantCulture, $"parts of the KV cache {parameters.PartCount}"),
            $"whole sliding windows {cache.FullSizeSwa}",
            $"rope {cache.Rope}",
        ]);
    }

    /// <summary>Encodes the identity for a file.</summary>
    public byte[] Encode() => Encoding.UTF8.GetBytes(string.Join('\n', _lines));

    /// <summary>Compares the identity of a file with this one.</summary>
    /// <exception cref="StateFormatException">A line does not match.</exception>
    public void Check(ReadOnlySpan<byte> encoded)
    {
        string[] found = Encoding.UTF8.GetString(encoded).Split('\n');
        for (int i = 0; i < _lines.Length; i++)
        {
            string line = i < found.Length ? found[i] : "nothing";
            if (line != _lines[i])
            {
                throw new StateFormatException(
                    $"The state was saved with '{line}', but this session has '{_lines[i]}'. Load it with the same model file, version and context "
                    + "options, or process the prompt again.");
            }
        }
    }
}

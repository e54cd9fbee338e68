using System.Globalization;
using System.Text;
using MoeOffload.Gguf;
using MoeOffload.Native;
using MoeOffload.Native.Generated;

namespace MoeOffload.Inference.State;

/// <summary>What must be the same for a saved state to mean the same: the first lines of its file.</summary>
internal static class StateIdentity
{
    /// <summary>The lines for a session.</summary>
    /// <exception cref="IOException">The model's file cannot be read any more.</exception>
    public static IReadOnlyList<string> Of(MoeModel model, ContextParameters parameters)
    {
        llama_context_params native = parameters.ToNative();
        return
        [
            $"llama.cpp {BindingsVersion.LlamaCpp}",
            $"architecture {model.Info.Architecture}",
            $"model {model.Fingerprint}",
            $"type of keys {(GgmlType)native.type_k}",
            $"type of values {(GgmlType)native.type_v}",
            string.Create(CultureInfo.InvariantCulture, $"parts of the KV cache {parameters.PartCount}"),
            $"whole sliding windows {native.swa_full != 0}",
            string.Create(
                CultureInfo.InvariantCulture,
                $"rope {native.rope_scaling_type} {native.rope_freq_base} {native.rope_freq_scale} {native.yarn_ext_factor} {native.yarn_attn_factor} {native.yarn_beta_fast} {native.yarn_beta_slow} {native.yarn_orig_ctx}"),
        ];
    }

    /// <summary>The lines as a file has them.</summary>
    public static byte[] Encode(IReadOnlyList<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines));

    /// <summary>Checks a file's lines.</summary>
    /// <exception cref="StateFormatException">One is not the session's.</exception>
    public static void Check(ReadOnlySpan<byte> encoded, IReadOnlyList<string> lines)
    {
        string[] found = Encoding.UTF8.GetString(encoded).Split('\n');
        for (int i = 0; i < lines.Count; i++)
        {
            string line = i < found.Length ? found[i] : "nothing";
            if (line != lines[i])
            {
                throw new StateFormatException(
                    $"The state was saved with '{line}', and this session has '{lines[i]}': load it with the same model file, version and context "
                    + "options, or process the prompt again.");
            }
        }
    }
}

using System.Text;

namespace MoeOffload.Inference.State;

/// <summary>What must be the same for a saved state to mean the same: the first lines of its file.</summary>
internal static class StateIdentity
{
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

using System.Text;

namespace MoeOffload.Inference.State;

/// <summary>Encodes and checks the properties that must match for a saved state to be valid. They are at the beginning of its file.</summary>
internal static class StateIdentity
{
    /// <summary>Encodes the lines for a file.</summary>
    public static byte[] Encode(IReadOnlyList<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines));

    /// <summary>Compares the lines of a file with those of the session.</summary>
    /// <exception cref="StateFormatException">A line does not match.</exception>
    public static void Check(ReadOnlySpan<byte> encoded, IReadOnlyList<string> lines)
    {
        string[] found = Encoding.UTF8.GetString(encoded).Split('\n');
        for (int i = 0; i < lines.Count; i++)
        {
            string line = i < found.Length ? found[i] : "nothing";
            if (line != lines[i])
            {
                throw new StateFormatException(
                    $"The state was saved with '{line}', but this session has '{lines[i]}'. Load it with the same model file, version and context "
                    + "options, or process the prompt again.");
            }
        }
    }
}

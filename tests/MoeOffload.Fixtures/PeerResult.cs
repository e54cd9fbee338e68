using System.Text;

namespace MoeOffload.Fixtures;

/// <summary>How a tool ended.</summary>
/// <param name="ExitCode">0 for success.</param>
/// <param name="Output">Its standard output, byte for byte.</param>
/// <param name="Errors">Its standard error, which is where llama.cpp logs.</param>
public sealed record PeerResult(int ExitCode, byte[] Output, string Errors)
{
    /// <summary>The output as text.</summary>
    public string Text => Encoding.UTF8.GetString(Output);
}

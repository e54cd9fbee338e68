using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MoeOffload.Fixtures;

namespace MoeOffload.Tests.Peer;

/// <summary>llama.cpp's completion tool, <c>llama-completion</c>.</summary>
internal static class CompletionTool
{
    /// <summary>Continues a prompt greedily. The last token of the prompt must be in a separate batch, as in the tool.</summary>
    /// <returns>
    /// All tokens, the prompt's first, and the text, of which the tool loses the end where it exits before its log is written.
    /// </returns>
    public static (int[] Tokens, byte[] Text) Continue(
        string model, string prompt, int tokens, ContextOptions context, params ReadOnlySpan<string> arguments)
    {
        using var file = new TemporaryFile(System.Text.Encoding.UTF8.GetBytes(prompt));
        using var state = TemporaryFile.NotYetMade();
        PeerResult result = Run(
            model, file.Path, ["-n", $"{tokens}", "--temp", "0", "--top-k", "1", "--ignore-eos", "--prompt-cache", state.Path, "--prompt-cache-all",
            "-c", $"{context.ContextLength}", "-b", $"{context.BatchSize}", "-ub", $"{context.MicroBatchSize}",
            "-t", $"{context.Threads.Decode}", "-tb", $"{context.Threads.Prompt}",
            "-fa", context.FlashAttention == FlashAttention.On ? "on" : "off", .. arguments]);
        return (ReadTokens(state.Path), result.Output);
    }

    /// <summary>Continues a prompt greedily beyond the length of the context. The first tokens are kept.</summary>
    /// <returns>The text. The tool can lose its end.</returns>
    public static byte[] Shift(string model, string prompt, int tokens, int keep, ContextOptions context)
    {
        using var file = new TemporaryFile(System.Text.Encoding.UTF8.GetBytes(prompt));
        return Run(
            model, file.Path, "-n", $"{tokens}", "--temp", "0", "--top-k", "1", "--ignore-eos", "--context-shift", "--keep", $"{keep}",
            "-c", $"{context.ContextLength}", "-ub", $"{context.MicroBatchSize}", "-t", $"{context.Threads.Decode}", "-tb", $"{context.Threads.Prompt}",
            "-fa", context.FlashAttention == FlashAttention.On ? "on" : "off").Output;
    }

    /// <summary>The tokens that it makes of a prompt, special ones added and parsed. The prompt may be any bytes.</summary>
    public static int[] Tokenize(string model, ReadOnlySpan<byte> prompt)
    {
        using var file = new TemporaryFile(prompt);
        using var state = TemporaryFile.NotYetMade();
        Run(model, file.Path, "-n", "1", "-c", "256", "-t", "1", "--prompt-cache", state.Path);
        return ReadTokens(state.Path);
    }

    // llama_state_save_file: magic, version, number of tokens, tokens, and the rest.
    private static int[] ReadTokens(string stateFile)
    {
        byte[] saved = File.ReadAllBytes(stateFile);
        int count = BinaryPrimitives.ReadInt32LittleEndian(saved.AsSpan(8));
        return MemoryMarshal.Cast<byte, int>(saved.AsSpan(12, count * sizeof(int))).ToArray();
    }

    private static PeerResult Run(string model, string promptFile, params ReadOnlySpan<string> arguments)
    {
        PeerResult result = Fixtures.Peer.Run(
            "llama-completion",
            ["-m", model, "-f", promptFile, "--no-escape", "-no-cnv", "--no-display-prompt", "-fit", "off", "--no-warmup", .. arguments]);
        return result.ExitCode == 0 ? result : throw new InvalidOperationException($"llama-completion failed: {result.Errors}");
    }

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(ReadOnlySpan<byte> content) => File.WriteAllBytes(Path, content.ToArray());

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public static TemporaryFile NotYetMade()
        {
            var file = new TemporaryFile([]);
            File.Delete(file.Path);
            return file;
        }

        public void Dispose() => File.Delete(Path);
    }
}

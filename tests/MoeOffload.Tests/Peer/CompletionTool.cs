using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using MoeOffload.Fixtures;

namespace MoeOffload.Tests.Peer;

/// <summary>llama.cpp's completion tool, <c>llama-completion</c>.</summary>
internal static class CompletionTool
{
    /// <summary>Continues a prompt greedily.</summary>
    /// <returns>The text, byte for byte, and how many tokens the tool says that it computed.</returns>
    public static (byte[] Text, int PromptTokens, int GeneratedTokens) Continue(string model, string prompt, int tokens, ContextOptions context)
    {
        using var file = new TemporaryFile(System.Text.Encoding.UTF8.GetBytes(prompt));
        PeerResult result = Run(
            model, file.Path, "-n", $"{tokens}", "--temp", "0", "--top-k", "1", "--ignore-eos", "--perf",
            "-c", $"{context.ContextLength}", "-b", $"{context.BatchSize}", "-ub", $"{context.MicroBatchSize}",
            "-t", $"{context.Threads.Decode}", "-tb", $"{context.Threads.Prompt}",
            "-fa", context.FlashAttention == FlashAttention.On ? "on" : "off");

        // The tool ends its output with two line breaks. The first token comes from the prompt's own computation.
        return (result.Output[..^2], Count("prompt eval time", result.Errors), 1 + Count("  eval time", result.Errors));
    }

    /// <summary>The tokens that it makes of a prompt, special ones added and parsed. The prompt may be any bytes.</summary>
    public static int[] Tokenize(string model, ReadOnlySpan<byte> prompt)
    {
        using var file = new TemporaryFile(prompt);
        using var state = new TemporaryFile([]);
        File.Delete(state.Path);
        Run(model, file.Path, "-n", "1", "-c", "256", "-t", "1", "--prompt-cache", state.Path);

        // llama_state_save_file: magic, version, number of tokens, tokens.
        byte[] saved = File.ReadAllBytes(state.Path);
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

    private static int Count(string line, string log) => int.Parse(
        Regex.Match(log, Regex.Escape(line) + @" = .*? / +(\d+) (?:tokens|runs)").Groups[1].Value, CultureInfo.InvariantCulture);

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(ReadOnlySpan<byte> content) => File.WriteAllBytes(Path, content);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Benches;

/// <summary>Runs llama.cpp's benchmark tool with the settings of a point.</summary>
/// <param name="options">What to measure.</param>
/// <param name="rpcServer">The RPC server that is the second device; null for none.</param>
internal sealed class LlamaBench(SweepOptions options, string? rpcServer)
{
    /// <summary>Measures a point.</summary>
    /// <returns>The tokens per second of the prompt, and those of the generation.</returns>
    /// <exception cref="IOException">The tool cannot be run, or fails; the message contains its output.</exception>
    public async Task<(double Prompt, double Decode)> MeasureAsync(SweepPoint point, CancellationToken cancellationToken)
    {
        using Process process = Start(point);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        JsonNode[] results = process.ExitCode == 0 ? [.. (await output.ConfigureAwait(false)).Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!)] : [];
        return (Speed(isPrompt: true, point.Depth), Speed(isPrompt: false, point.Depth + point.PromptTokens));

        double Speed(bool isPrompt, int depth) => Array.Find(results, result => (int)result["n_prompt"]! > 0 == isPrompt && (int)result["n_depth"]! == depth) is { } result
            ? (double)result["avg_ts"]!
            : throw new IOException($"{options.PeerPath} failed ({process.ExitCode}): {errors.Result.Trim()}");
    }

    private Process Start(SweepPoint point)
    {
        var start = new ProcessStartInfo(options.PeerPath!, Arguments(point)) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new IOException($"{options.PeerPath} cannot be run: {error.Message} Set the path of llama.cpp's llama-bench with --peer; './build.sh native --peers' builds it.", error);
        }
    }

    private List<string> Arguments(SweepPoint point)
    {
        ModelOptions load = options.Subject.Load;
        ContextOptions context = options.Subject.Context;
        List<string> arguments =
        [
            "-m", options.Subject.Path,
            "-o", "jsonl",
            "-r", "1",
            "-p", Text(point.PromptTokens),
            "-n", Text(options.GeneratedTokens),

            // We generate after the prompt, but llama-bench measures prompts and generation separately at each depth.
            "-d", $"{Text(point.Depth)},{Text(point.Depth + point.PromptTokens)}",
            "-b", Text(Math.Max(context.BatchSize ?? 2048, point.MicroBatch)),
            "-ub", Text(point.MicroBatch),
            "-t", Text(point.Threads),
            "-lm", point.IsMapped ? "mmap" : "none",
            "-fa", context.FlashAttention.ToString().ToLowerInvariant(),
        ];
        if (options.Subject.Accelerators().Count > 0)
        {
            Add("-ncmoe", Text(point.ExpertLayers));
            Add("-rpc", rpcServer);
            Add("-dev", load.Devices is { } devices ? string.Join('/', devices) : null);
        }
        else
        {
            Add("-dev", "none");
        }

        Add("-ngl", load.GpuLayers is { } layers ? Text(layers) : null);
        Add("-sm", load.SplitMode?.ToString().ToLowerInvariant());
        Add("-ts", load.TensorSplit is { } shares ? string.Join('/', shares.Select(share => share.ToString(CultureInfo.InvariantCulture))) : null);
        Add("-mg", load.MainGpu is { } main ? Text(main) : null);
        Add("-ctk", context.KvCache.KeyType is { } key ? GgmlTypeInfo.Get(key).Name : null);
        Add("-ctv", context.KvCache.ValueType is { } value ? GgmlTypeInfo.Get(value).Name : null);
        Add("-nkvo", context.KvCache.Offload == false ? "1" : null);
        Add("-nopo", context.OpOffload == false ? "1" : null);
        return arguments;

        void Add(string name, string? text)
        {
            if (text is not null)
            {
                arguments.AddRange([name, text]);
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

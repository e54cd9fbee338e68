using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>
/// Represents <c>moe bench sweep</c>, which measures the speed of prompts and generation while one setting at a time is varied, optionally
/// together with llama.cpp's own benchmark tool. The order of the points and of the two programs rotates with each round.
/// </summary>
/// <param name="options">What to measure.</param>
internal sealed class SweepBench(SweepOptions options) : IBench
{
    public string Name => "sweep";

    public async Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken)
    {
        using LoopbackRpcServer? peerServer = StartPeerServer();
        var peer = options.PeerPath is null ? null : new LlamaBench(options, peerServer?.Address);
        log = options.Subject.Head(Name, log);
        IReadOnlyList<SweepPoint[]> axes = new SweepPlan(options).Make();
        int total = options.Rounds * axes.Sum(points => points.Length);
        if (total == 0)
        {
            throw new NotSupportedException(
                $"There is nothing to measure: without an accelerator or experts, the axis {SweepAxis.ExpertLayers} has no points. Use --rpc HOST:PORT or --rpc-loopback as the accelerator, or other --axes.");
        }

        int done = 0;
        var model = new SweepModel(options);
        await using (model.ConfigureAwait(false))
        {
            foreach (SweepPoint[] points in axes)
            {
                for (int round = 0; round < options.Rounds; round++)
                {
                    foreach (SweepPoint point in round % 2 == 0 ? points : [.. points.Reverse()])
                    {
                        progress.Report(new BenchProgress(done++, total, $"{point.Axis} {point.Value}, round {round + 1}"));
                        await MeasureAsync(log, model, peer, point, round, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
    }

    public IBenchReport Report(SampleSet samples) => new SweepReport(samples);

    // An RPC server supports only one client at a time.
    private LoopbackRpcServer? StartPeerServer() => (options.PeerPath, options.Subject) switch
    {
        (null, _) or (_, { Load.RpcServers.Count: 0 }) => null,
        (_, { RpcServerProcess: null }) => throw new NotSupportedException("The peer requires an RPC server on this machine: use --rpc-loopback instead of --rpc."),
        _ => LoopbackRpcServer.Start(options.Subject.Load, options.Subject.Context.Threads.Decode),
    };

    private async Task MeasureAsync(ISampleLog log, SweepModel model, LlamaBench? peer, SweepPoint point, int round, CancellationToken cancellationToken)
    {
        if (peer is not null && round % 2 == 1)
        {
            await MeasurePeerAsync(log, model, peer, point, round, cancellationToken).ConfigureAwait(false);
        }

        (GenerationStatistics statistics, MemoryBreakdown memory) = await model.MeasureAsync(point, round, cancellationToken).ConfigureAwait(false);
        log.Add(Sample(point, round, statistics, memory));
        if (peer is not null && round % 2 == 0)
        {
            await MeasurePeerAsync(log, model, peer, point, round, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task MeasurePeerAsync(ISampleLog log, SweepModel model, LlamaBench peer, SweepPoint point, int round, CancellationToken cancellationToken)
    {
        await model.DisposeAsync().ConfigureAwait(false);
        (double prompt, double decode) = await peer.MeasureAsync(point, cancellationToken).ConfigureAwait(false);
        JsonObject sample = Sample(point, round, "llama-bench");
        sample["prompt_tokens_per_second"] = Math.Round(prompt, 3);
        sample["decode_tokens_per_second"] = Math.Round(decode, 3);
        log.Add(sample);
    }

    private JsonObject Sample(SweepPoint point, int round, GenerationStatistics statistics, MemoryBreakdown memory)
    {
        JsonObject sample = Sample(point, round, "moe");
        int computed = statistics.PromptTokens - statistics.CachedPromptTokens;
        MemoryUse[] device = [.. memory.Devices.Where(use => !use.IsHost)];
        sample["cached_tokens"] = statistics.CachedPromptTokens;
        sample["prompt_tokens_per_second"] = Math.Round(computed / statistics.TimeToFirstToken.TotalSeconds, 3);
        sample["decode_tokens_per_second"] = Math.Round(statistics.TokensPerSecond, 3);
        sample["ttft_ms"] = Math.Round(statistics.TimeToFirstToken.TotalMilliseconds, 3);
        sample["device_bytes"] = device.Sum(use => use.TotalBytes);
        sample["device_model_bytes"] = device.Sum(use => use.WeightBytes);
        sample["device_kv_bytes"] = device.Sum(use => use.ContextBytes);
        sample["device_compute_bytes"] = device.Sum(use => use.ComputeBytes);
        sample["host_bytes"] = memory.Devices.Where(use => use.IsHost).Sum(use => use.TotalBytes);
        sample["host_buffers"] = string.Join(", ", memory.Buffers.Where(use => use is { IsHost: true, WeightBytes: > 0 }).Select(use => use.Buffer));
        return sample;
    }

    private JsonObject Sample(SweepPoint point, int round, string source) => new()
    {
        ["axis"] = point.Axis,
        ["value"] = point.Value,
        ["round"] = round,
        ["source"] = source,
        ["expert_layers_on_cpu"] = point.ExpertLayers,
        ["mapped"] = point.IsMapped,
        ["micro_batch"] = point.MicroBatch,
        ["threads"] = point.Threads,
        ["depth"] = point.Depth,
        ["prompt_tokens"] = point.PromptTokens,
        ["tokens"] = options.GeneratedTokens,
    };
}

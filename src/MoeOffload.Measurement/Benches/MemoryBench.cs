using System.Text.Json.Nodes;
using MoeOffload.Measurement.Machine;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>
/// Represents <c>moe bench memory</c>, which measures the memory of a model as counted by llama.cpp, the operating system and the GPU driver:
/// before and after loading, and the peak while it processes a prompt of a whole micro-batch and generates.
/// </summary>
/// <param name="options">What to measure.</param>
internal sealed class MemoryBench(MemoryOptions options) : IBench
{
    private const string Idle = "idle";
    private const string Loaded = "loaded";
    private const string Peak = "peak";

    public string Name => "memory";

    public async Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken)
    {
        log = options.Subject.Head(Name, log);
        using NvidiaDriver? driver = NvidiaDriver.TryOpen();
        IReadOnlyList<BenchPlacement> placements = options.Subject.Placements();
        for (int round = 0; round < options.Rounds; round++)
        {
            for (int i = 0; i < placements.Count; i++)
            {
                progress.Report(new BenchProgress((round * placements.Count) + i, options.Rounds * placements.Count, $"round {round + 1}, {placements[i].Name}"));
                await MeasureAsync(new Recorder(log, driver, options.Subject.RpcServerProcess, round, placements[i].Name), placements[i].Load, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
    }

    public IBenchReport Report(SampleSet samples) => new MemoryBenchReport(samples);

    private async Task MeasureAsync(Recorder recorder, ModelOptions load, CancellationToken cancellationToken)
    {
        recorder.RecordSystem(Idle);
        using MoeModel model = await MoeModel.LoadAsync(options.Subject.Path, load, null, cancellationToken).ConfigureAwait(false);
        GenerationSession session = await model.CreateSessionAsync(options.Subject.Context, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            recorder.RecordAllocator(Loaded, session.Memory);
            recorder.RecordSystem(Loaded);
            var peak = new DriverPeak(recorder.Driver);
            await using (peak.ConfigureAwait(false))
            {
                recorder.ResetPeak();
                await GenerateAsync(model, session, cancellationToken).ConfigureAwait(false);
                recorder.RecordPeak(Peak, peak);
            }
        }
    }

    private async Task GenerateAsync(MoeModel model, GenerationSession session, CancellationToken cancellationToken)
    {
        int room = Math.Max(1, session.SequenceLength - options.MaxTokens);
        TokenStream stream = session.GenerateAsync(
            new GenerationRequest
            {
                PromptTokens = RandomTokens.Make(model.Vocabulary, Math.Min(session.MicroBatchSize, room), seed: 0),
                Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
                MaxTokens = options.MaxTokens,
            },
            cancellationToken);
        await foreach (GeneratedToken _ in stream.ConfigureAwait(false))
        {
        }
    }

    private sealed class Recorder(ISampleLog log, NvidiaDriver? driver, int? rpcServerProcess, int round, string placement)
    {
        private readonly (string Name, ProcessMemory Memory)[] _processes =
        [
            ("moe", new ProcessMemory(Environment.ProcessId)),
            .. rpcServerProcess is { } id ? new[] { ("ggml-rpc-server", new ProcessMemory(id)) } : [],
        ];

        public NvidiaDriver? Driver => driver;

        public void ResetPeak()
        {
            foreach ((_, ProcessMemory memory) in _processes)
            {
                memory.ResetPeak();
            }
        }

        public void RecordAllocator(string moment, MemoryBreakdown memory)
        {
            foreach (MemoryUse use in memory.Buffers)
            {
                foreach ((string kind, long bytes) in new[] { ("model", use.WeightBytes), ("kv", use.ContextBytes), ("compute", use.ComputeBytes) })
                {
                    log.Add(Sample(moment, "allocator", use.IsHost ? "CPU" : use.Device, kind, bytes, ("buffer", use.Buffer)));
                }
            }
        }

        public void RecordSystem(string moment)
        {
            foreach ((string process, ProcessMemory memory) in _processes)
            {
                log.Add(Sample(moment, "system", "process", "resident", memory.ReadResident(), ("process", process)));
                RecordProportional(moment, process, memory);
            }

            RecordDriver(moment, driver?.ReadUsedBytes() ?? []);
        }

        public void RecordPeak(string moment, DriverPeak peak)
        {
            foreach ((string process, ProcessMemory memory) in _processes)
            {
                log.Add(Sample(moment, "system", "process", "resident", memory.ReadPeakResident() ?? memory.ReadResident(), ("process", process)));
                RecordProportional(moment, process, memory);
            }

            RecordDriver(moment, peak.Read());
        }

        private void RecordProportional(string moment, string process, ProcessMemory memory)
        {
            if (memory.ReadProportional() is { } bytes)
            {
                log.Add(Sample(moment, "system", "process", "proportional", bytes, ("process", process)));
            }
        }

        // With one GPU, the driver and llama.cpp mean the same one. With several, they can number them differently.
        private void RecordDriver(string moment, IReadOnlyList<long> used)
        {
            for (int i = 0; i < used.Count; i++)
            {
                log.Add(Sample(moment, "driver", used.Count == 1 ? "CUDA0" : $"NVIDIA{i}", "used", used[i]));
            }
        }

        private JsonObject Sample(string moment, string source, string device, string kind, long bytes, params ReadOnlySpan<(string Name, string Value)> more)
        {
            var sample = new JsonObject
            {
                ["round"] = round,
                ["placement"] = placement,
                ["moment"] = moment,
                ["source"] = source,
                ["device"] = device,
                ["kind"] = kind,
                ["bytes"] = bytes,
            };
            foreach ((string name, string value) in more)
            {
                sample[name] = value;
            }

            return sample;
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MoeOffload.Fixtures;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Making;

namespace MoeOffload.Measurement.Tests.Evidence;

/// <summary>Makes folders of evidence from sample lines, and changes them as someone who cheats would.</summary>
internal sealed class EvidenceFolders : IDisposable
{
    public const string Model = "little-moe";
    private const int ModelBytes = 3 * Mebibyte;
    private const int Mebibyte = 1 << 20;

    private static readonly string[] s_placements = ["offload", "device"];
    private static readonly string[] s_prompts = ["short", "long"];
    private static readonly string[] s_devices = ["RPC0", "CPU"];
    private static readonly string[] s_kinds = ["model", "kv", "compute"];
    private static readonly string[] s_moments = ["idle", "loaded"];
    private static readonly bool[] s_ways = [true, false];
    private static readonly int[] s_layers = [0, 1];
    private static readonly string[] s_sources = ["moe", "llama-bench"];

    private readonly TemporaryDirectory _root = new();

    public TemporaryDirectory Root => _root;

    /// <summary>A whole folder.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="speed">How fast the model is, in tokens a second on the device.</param>
    /// <param name="isSynthetic">Whether the weights are called synthetic.</param>
    /// <param name="rounds">Repeats.</param>
    public string Make(string name = "evidence", double speed = 20, bool isSynthetic = false, int rounds = 3)
    {
        string folder = _root[name];
        EvidenceWriter.WriteText(folder, "commands.txt", "moe evidence make little-moe.gguf -o evidence\n");
        EvidenceWriter.WriteText(folder, "machine.json", new JsonObject
        {
            ["measured_at"] = "2026-11-24T12:00Z",
            ["cpu"] = "A processor",
            ["cores"] = 2,
            ["processors"] = 2,
            ["memory_bytes"] = 8L << 30,
            ["system"] = "Linux",
            ["kernel"] = "6.1",
            ["dotnet"] = ".NET 10",
            ["llama_cpp"] = "0.5.0",
            ["tool_version"] = "0.1.0",
            ["git_commit"] = "abc",
            ["source_state"] = "clean",
            ["devices"] = new JsonArray(new JsonObject { ["name"] = "RPC0", ["description"] = "127.0.0.1:50052", ["kind"] = "rpc" }),
            ["libraries"] = new JsonArray(new JsonObject { ["file"] = "libmoe-llama.so", ["sha256"] = new string('0', 64) }),
        }.ToJsonString());
        string model = $"models/{Model}/";
        EvidenceWriter.WriteText(folder, model + "model.json", new JsonObject
        {
            ["synthetic"] = isSynthetic,
            ["files"] = new JsonArray(new JsonObject { ["file"] = "little-moe.gguf", ["sha256"] = new string('1', 64) }),
            ["bytes"] = ModelBytes,
            ["architecture"] = "qwen3moe",
            ["parameters"] = 9_000_000,
            ["layers"] = 1,
            ["expert_count"] = 16,
            ["expert_used_count"] = 2,
            ["context_length"] = 256,
            ["devices"] = new JsonArray(new JsonObject { ["name"] = "RPC0", ["description"] = "127.0.0.1:50052", ["kind"] = "rpc", ["local"] = true }),
            ["tensors"] = new JsonArray(
                new JsonObject { ["group"] = "experts", ["type"] = "q8_0", ["count"] = 1, ["bytes"] = 2 * Mebibyte },
                new JsonObject { ["group"] = "attention", ["type"] = "q8_0", ["count"] = 1, ["bytes"] = Mebibyte }),
        }.ToJsonString());
        foreach (string placement in s_placements)
        {
            bool isOffload = placement == "offload";
            WriteLines(folder, model + $"tensors-{placement}.jsonl", [Tensor("blk.0.attn_q.weight", 1, isOnHost: false), Tensor("blk.0.ffn_up_exps.weight", 2, isOffload)]);
            string[] log = Log(isOffload);
            EvidenceWriter.WriteText(folder, model + $"load-{placement}.log", string.Join('\n', [.. log, $"end of the log: {log.Length} lines"]) + "\n");
        }

        WriteLines(folder, model + "streaming.jsonl", Streaming(speed, rounds));
        WriteLines(folder, model + "memory.jsonl", Memory());
        WriteLines(folder, model + "quality.jsonl", Quality());
        WriteLines(folder, model + "sweep.jsonl", Sweep(speed, rounds));
        EvidenceWriter.Finish(folder, [(Model, Protocol(rounds))]);
        return folder;
    }

    /// <summary>Changes a file, and makes the hashes fit again.</summary>
    public static void Cheat(string folder, string file, Func<string, string> change)
    {
        Change(folder, file, change);
        Rehash(folder);
    }

    /// <summary>Changes a file.</summary>
    public static void Change(string folder, string file, Func<string, string> change)
    {
        string path = Path.Combine(folder, file);
        string text = File.ReadAllText(path);
        string changed = change(text);
        if (changed == text)
        {
            throw new InvalidOperationException($"Nothing was changed in {file}.");
        }

        File.WriteAllText(path, changed);
    }

    /// <summary>Writes the hashes again, in the format of sha256sum.</summary>
    public static void Rehash(string folder)
    {
        var sums = new StringBuilder();
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "SHA256SUMS").Order(StringComparer.Ordinal))
        {
            sums.Append(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}  {Path.GetRelativePath(folder, file).Replace('\\', '/')}\n");
        }

        File.WriteAllText(Path.Combine(folder, "SHA256SUMS"), sums.ToString());
    }

    /// <summary>Writes the manifest, report and hashes again after raw files were changed, which is the best that a cheater can do.</summary>
    public static void Remake(string folder) => EvidenceWriter.Finish(folder, EvidenceManifest.Read(EvidenceFiles.Open(folder)).Protocols);

    public void Dispose() => _root.Dispose();

    private static void WriteLines(string folder, string file, IEnumerable<JsonObject> lines) =>
        EvidenceWriter.WriteText(folder, file, string.Concat(lines.Select(line => line.ToJsonString() + "\n")));

    private static JsonObject Tensor(string name, int mebibytes, bool isOnHost) => new()
    {
        ["name"] = name,
        ["type"] = "q8_0",
        ["bytes"] = mebibytes * Mebibyte,
        ["device"] = isOnHost ? "CPU" : "RPC0",
        ["buffer"] = isOnHost ? "CPU_Mapped" : "RPC0[127.0.0.1:50052]",
        ["host"] = isOnHost,
        ["expert"] = name.Contains("exps", StringComparison.Ordinal),
    };

    private static string[] Log(bool isOffload) =>
    [
        "llama_model_loader: - kv  11:                      qwen3moe.expert_count u32              = 16",
        "llama_model_loader: - kv  12:                 qwen3moe.expert_used_count u32              = 2",
        "print_info: arch                  = qwen3moe",
        "print_info: n_expert              = 16",
        "print_info: n_expert_used         = 2",
        .. isOffload ? ["tensor blk.0.ffn_up_exps.weight (2 MiB q8_0) buffer type overridden to CPU", "load_tensors:   CPU_Mapped model buffer size =     2.95 MiB"] : Array.Empty<string>(),
        $"load_tensors: RPC0[127.0.0.1:50052] model buffer size =     {(isOffload ? 1 : 3)}.00 MiB",
        "llama_context: n_ctx                 = 256",
        "sched_reserve:        CPU compute buffer size =     1.26 MiB",
    ];

    private static IEnumerable<JsonObject> Streaming(double speed, int rounds) =>
        from round in Enumerable.Range(0, rounds)
        from prompt in s_prompts
        from placement in s_placements
        from stream in s_ways
        let own = (placement == "offload" ? speed / 3 : speed) + (round * 0.25)
        select new JsonObject
        {
            ["bench"] = "streaming",
            ["round"] = round,
            ["placement"] = placement,
            ["prompt"] = prompt,
            ["prompt_tokens"] = 7,
            ["stream"] = stream,
            ["max_tokens"] = 8,
            ["tokens"] = 8,
            ["ttft_ms"] = stream ? 1000 / own : null,
            ["total_ms"] = 8000 / own,
            ["prompt_tokens_per_second"] = stream ? own * 7 : null,
            ["decode_tokens_per_second"] = stream ? own : null,
            ["tokens_per_second"] = own * 0.9,
            ["gaps_ms"] = stream ? new JsonArray(1000 / own, 1001 / own, 1002 / own) : new JsonArray(),
        };

    private static IEnumerable<JsonObject> Memory()
    {
        foreach (string placement in s_placements)
        {
            foreach (string moment in s_moments)
            {
                yield return new JsonObject
                {
                    ["bench"] = "memory",
                    ["round"] = 0,
                    ["placement"] = placement,
                    ["moment"] = moment,
                    ["source"] = "system",
                    ["device"] = "process",
                    ["kind"] = "resident",
                    ["bytes"] = 50 * Mebibyte,
                    ["process"] = "moe",
                };
            }

            foreach ((string device, string kind) in s_devices.SelectMany(device => s_kinds.Select(kind => (device, kind))))
            {
                yield return new JsonObject
                {
                    ["bench"] = "memory",
                    ["round"] = 0,
                    ["placement"] = placement,
                    ["moment"] = "loaded",
                    ["source"] = "allocator",
                    ["device"] = device,
                    ["kind"] = kind,
                    ["bytes"] = (device == "RPC0") == (placement == "device") ? 4 * Mebibyte : Mebibyte,
                    ["buffer"] = device,
                };
            }
        }
    }

    private static IEnumerable<JsonObject> Quality() =>
    [
        new() { ["bench"] = "quality", ["measure"] = "greedy", ["placement"] = "offload", ["prompt"] = "Once", ["tokens"] = 10, ["equal_tokens"] = 9 },
        .. Enumerable.Range(4, 3).Select(position => new JsonObject
        {
            ["bench"] = "quality", ["measure"] = "logits", ["placement"] = "offload", ["window"] = 0, ["position"] = position, ["kl_divergence"] = 0.001 * position, ["max_difference"] = 0.1, ["same_top"] = position < 6,
        }),
        .. s_placements.SelectMany(placement => Enumerable.Range(0, 2).Select(window => new JsonObject
        {
            ["bench"] = "quality", ["measure"] = "perplexity", ["placement"] = placement, ["window"] = window, ["tokens"] = 4, ["negative_log_likelihood"] = 8 + window,
        })),
    ];

    private static IEnumerable<JsonObject> Sweep(double speed, int rounds) =>
        from layers in s_layers
        from round in Enumerable.Range(0, rounds)
        from source in s_sources
        select new JsonObject
        {
            ["bench"] = "sweep",
            ["axis"] = "expert_layers_on_cpu",
            ["value"] = layers,
            ["round"] = round,
            ["source"] = source,
            ["decode_tokens_per_second"] = (speed / (1 + layers)) + (0.1 * round),
            ["prompt_tokens_per_second"] = (speed * 4 / (1 + layers)) + round,
            ["ttft_ms"] = source == "moe" ? 100 * (1 + layers) : null,
            ["device_bytes"] = source == "moe" ? (3 - (2 * layers)) * Mebibyte : null,
        };

    private static JsonObject Protocol(int rounds) => new()
    {
        ["placements"] = new JsonArray("device", "offload"),
        ["streaming"] = new JsonObject
        {
            ["rounds"] = rounds,
            ["max_tokens"] = 8,
            ["temperature"] = 0.3,
            ["placement"] = new JsonArray("offload", "device"),
            ["prompt"] = new JsonArray("short", "long"),
            ["stream"] = new JsonArray(true, false),
        },
        ["memory"] = new JsonObject { ["rounds"] = 1, ["placement"] = new JsonArray("offload", "device"), ["moment"] = new JsonArray("idle", "loaded") },
        ["quality"] = new JsonObject
        {
            ["rounds"] = 1,
            ["compared"] = new JsonArray("offload"),
            ["prompt"] = new JsonArray("Once"),
            ["placement"] = new JsonArray("offload", "device"),
            ["window"] = new JsonArray(0, 1),
            ["positions"] = new JsonArray(new JsonObject { ["placement"] = "offload", ["window"] = 0, ["first"] = 4, ["count"] = 3 }),
        },
        ["sweep"] = new JsonObject
        {
            ["rounds"] = rounds,
            ["points"] = new JsonArray(new JsonObject { ["source"] = new JsonArray("moe", "llama-bench"), ["axis"] = new JsonArray("expert_layers_on_cpu"), ["value"] = new JsonArray(0, 1) }),
        },
    };
}

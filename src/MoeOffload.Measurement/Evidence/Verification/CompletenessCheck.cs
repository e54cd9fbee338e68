using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Checks that the samples contain every repeat of every combination in the protocol exactly once.</summary>
internal static class CompletenessCheck
{
    /// <summary>Finds raw files that are missing or not in the manifest.</summary>
    public static IEnumerable<Problem> FindFiles(EvidenceFiles files, EvidenceManifest manifest)
    {
        foreach ((string path, long bytes) in manifest.Files)
        {
            if (!files.Has(path))
            {
                yield return new Problem(path, "it is in the manifest, but the file is missing.");
            }
            else if (files.LengthOf(path) != bytes)
            {
                yield return new Problem(path, $"it has {files.LengthOf(path)} bytes, but {bytes} in the manifest.");
            }
        }

        HashSet<string> named = [.. manifest.Files.Select(file => file.Path)];
        foreach (string name in files.Names.Where(name => !EvidenceManifest.IsGenerated(name) && !named.Contains(name)))
        {
            yield return new Problem(name, "it is not in the manifest.");
        }

        if (manifest.Protocols.Count == 0)
        {
            yield return new Problem(EvidenceFiles.Manifest, "it contains no models.");
        }
    }

    /// <summary>Finds samples of a model that are missing, duplicate or unexpected.</summary>
    public static IEnumerable<Problem> Find(ModelEvidence model)
    {
        if (!model.Benches.Any())
        {
            yield return new Problem(EvidenceFiles.Manifest, $"its protocol contains no measurements of {model.Name}.");
        }

        foreach (string bench in model.Benches)
        {
            SampleSet samples = model.Samples(bench);
            string file = model.SamplesFileOf(bench);
            JsonObject protocol = model.Protocol.Object(bench);
            IEnumerable<Problem> problems = bench switch
            {
                "streaming" => Find(file, samples, protocol.Whole("rounds"), Product(protocol, "placement", "prompt", "stream")),
                "memory" => FindMemory(file, samples, protocol),
                "quality" => Find(file, samples, 1, [.. Quality(protocol)], "measure", "placement", "prompt", "window", "position"),
                _ => Find(file, samples, protocol.Whole("rounds"), [.. Points(protocol)]),
            };
            foreach (Problem problem in problems.Concat(samples.Where(sample => sample.Fields.Text("bench") != bench).Select(sample =>
                new Problem($"{file}:{sample.Line}", $"it is not a sample of the benchmark '{bench}'."))))
            {
                yield return problem;
            }
        }
    }

    // Each combination must occur exactly once in each round, and nothing else.
    private static IEnumerable<Problem> Find(string file, SampleSet samples, long rounds, JsonObject[] combinations, params string[] keys)
    {
        if (rounds is < 1 or > 100_000 || combinations.Length == 0)
        {
            yield return new Problem(EvidenceFiles.Manifest, $"its protocol does not define what {file} must contain.");
            yield break;
        }

        string[] fields = keys.Length > 0 ? keys : [.. combinations[0].Select(field => field.Key)];
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (Sample sample in samples)
        {
            string key = KeyOf(sample.Fields, fields, keys.Length > 0 ? null : sample.Fields["round"]);
            found[key] = found.GetValueOrDefault(key) + 1;
        }

        for (long round = 0; round < rounds; round++)
        {
            foreach (JsonObject combination in combinations)
            {
                string key = KeyOf(combination, fields, keys.Length > 0 ? null : JsonValue.Create(round));
                known.Add(key);
                int count = found.GetValueOrDefault(key);
                if (count != 1)
                {
                    yield return new Problem(file, count == 0 ? $"{key} is missing." : $"{key} occurs {count} times.");
                }
            }
        }

        foreach (Sample sample in samples)
        {
            string key = KeyOf(sample.Fields, fields, keys.Length > 0 ? null : sample.Fields["round"]);
            if (!known.Contains(key))
            {
                yield return new Problem($"{file}:{sample.Line}", $"{key} is not part of the protocol.");
            }
        }
    }

    // The devices and kinds of memory are known only from the samples, so they must be the same in each round.
    private static IEnumerable<Problem> FindMemory(string file, SampleSet samples, JsonObject protocol)
    {
        string[] fields = ["placement", "moment", "source", "device", "kind", "buffer", "process"];
        foreach (JsonObject combination in Product(protocol, "placement", "moment"))
        {
            if (samples.Where(combination).Count == 0)
            {
                yield return new Problem(file, $"{KeyOf(combination, ["placement", "moment"], null)} is missing.");
            }
        }

        JsonObject[] combinations =
        [
            .. samples.DistinctBy(sample => KeyOf(sample.Fields, fields, null))
                .Select(sample => new JsonObject(fields.Select(field => KeyValuePair.Create(field, sample.Fields[field]?.DeepClone())))),
        ];
        foreach (Problem problem in Find(file, samples, protocol.Whole("rounds"), combinations))
        {
            yield return problem;
        }
    }

    private static IEnumerable<JsonObject> Quality(JsonObject protocol)
    {
        const long MostPositions = 1 << 20;
        foreach (JsonObject greedy in Product(protocol, "compared", "prompt"))
        {
            yield return new JsonObject { ["measure"] = "greedy", ["placement"] = greedy["compared"]?.DeepClone(), ["prompt"] = greedy["prompt"]?.DeepClone() };
        }

        foreach (JsonObject range in protocol.Objects("positions"))
        {
            for (long position = 0; position < Math.Min(range.Whole("count"), MostPositions); position++)
            {
                yield return new JsonObject
                {
                    ["measure"] = "logits",
                    ["placement"] = range["placement"]?.DeepClone(),
                    ["window"] = range["window"]?.DeepClone(),
                    ["position"] = range.Whole("first") + position,
                };
            }
        }

        foreach (JsonObject window in Product(protocol, "placement", "window"))
        {
            window["measure"] = "perplexity";
            yield return window;
        }
    }

    private static IEnumerable<JsonObject> Points(JsonObject protocol) => protocol.Objects("points").SelectMany(point => Product(point, "source", "axis", "value"));

    private static JsonObject[] Product(JsonObject protocol, params string[] axes) => axes.Aggregate<string, JsonObject[]>(
        [[]],
        (combinations, axis) =>
        [
            .. combinations.SelectMany(combination => Items(protocol, axis).Select(value => new JsonObject(
                combination.Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())).Append(KeyValuePair.Create(axis, value?.DeepClone()))))),
        ]);

    private static IEnumerable<JsonNode?> Items(JsonObject protocol, string axis) => protocol[axis] as JsonArray ?? [];

    private static string KeyOf(JsonObject fields, string[] names, JsonNode? round) => string.Join(
        ", ",
        names.Where(name => fields[name] is not null).Select(name => $"{name} {fields[name]!.ToJsonString()}").Append(round is null ? null : $"round {round.ToJsonString()}").Where(part => part is not null));
}

using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>
/// Checks that the loading logs and the recorded locations of the tensors match the claims: the number of experts, their location in each
/// placement, the size of each buffer, and the context.
/// </summary>
internal static class LoadCheck
{
    private const double Mebibyte = 1 << 20;

    // llama.cpp rounds sizes to 0.01 MiB, and aligns and pads each tensor in a buffer.
    private const double Rounding = 0.0051;
    private const double PaddingOfTensor = 4096 / Mebibyte;

    public static IEnumerable<Problem> Find(ModelEvidence model)
    {
        string[] required = model.Devices.Count == 0 ? [BenchPlacement.Cpu]
            : model.Facts.Whole("expert_count") == 0 ? [BenchPlacement.Device]
            : [BenchPlacement.Offload, BenchPlacement.Device];
        foreach (string missing in required.Except(model.Placements))
        {
            yield return new Problem(EvidenceFiles.Manifest, $"by its protocol {model.Name} was not loaded in the placement '{missing}'.");
        }

        foreach (string placement in model.Placements)
        {
            var log = new LoadLog(model.LoadLog(placement));
            SampleSet tensors = model.Tensors(placement);
            foreach (Problem problem in FindFacts(model, placement, log).Concat(FindExperts(model, placement, log, tensors)).Concat(FindSizes(model, placement, log, tensors)))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<Problem> FindFacts(ModelEvidence model, string placement, LoadLog log)
    {
        string file = model.LogFileOf(placement);
        if (!log.IsWhole)
        {
            yield return new Problem(file, "it is incomplete: its last line does not contain the number of lines.");
        }

        JsonObject facts = model.Facts;
        string experts = Whole(facts, "expert_count");
        string used = Whole(facts, "expert_used_count");
        (string What, string? Said, string Right)[] claims =
        [
            ("the architecture", log.Value("print_info", "arch"), facts.Text("architecture")),
            ("n_expert", log.Value("print_info", "n_expert"), experts),
            ("n_expert_used", log.Value("print_info", "n_expert_used"), used),
            ("the context's length n_ctx", log.Value("llama_context", "n_ctx"), Whole(facts, "context_length")),
            .. experts == "0" ? [] : new[]
            {
                ("expert_count in the metadata", log.Metadata("expert_count"), experts),
                ("expert_used_count in the metadata", log.Metadata("expert_used_count"), used),
            },
        ];
        foreach ((string what, string? said, string right) in claims.Where(claim => claim.Said != claim.Right))
        {
            yield return new Problem(file, said is null ? $"no line contains {what}." : $"{what} is {said} there, but {right} in model.json.");
        }

        if (!log.Says("compute buffer size"))
        {
            yield return new Problem(file, "no line contains the size of a compute buffer: the context was not created.");
        }
    }

    private static IEnumerable<Problem> FindExperts(ModelEvidence model, string placement, LoadLog log, SampleSet tensors)
    {
        string file = model.TensorsFileOf(placement);
        bool isOnDevice = placement == BenchPlacement.Device;
        bool isOffload = placement == BenchPlacement.Offload;
        int count = 0;
        foreach (Sample tensor in tensors)
        {
            string name = tensor.Fields.Text("name");
            bool isExpert = TensorLocation.GetGroup(name) == TensorGroup.Experts;
            bool isOnHost = tensor.Fields.Flag("host");
            count += isExpert ? 1 : 0;
            if (isExpert && isOffload && !isOnHost)
            {
                yield return new Problem($"{file}:{tensor.Line}", $"the expert tensor {name} is in {tensor.Fields.Text("buffer")} of {tensor.Fields.Text("device")}; with offload it must be in system memory.");
            }
            else if (isExpert && isOnDevice && isOnHost)
            {
                yield return new Problem($"{file}:{tensor.Line}", $"the expert tensor {name} is in {tensor.Fields.Text("buffer")}, in system memory; without offload it must be on the device.");
            }

            if (isExpert && isOffload && !log.Overrides.ContainsKey(name))
            {
                yield return new Problem(model.LogFileOf(placement), $"no line shows that the buffer type of {name} was overridden.");
            }
        }

        if (count == 0 && model.Facts.Whole("expert_count") > 0)
        {
            yield return new Problem(file, "it contains no expert tensors.");
        }
    }

    private static IEnumerable<Problem> FindSizes(ModelEvidence model, string placement, LoadLog log, SampleSet tensors)
    {
        string file = model.TensorsFileOf(placement);
        long count = model.Facts.Objects("tensors").Sum(group => group.Whole("count"));
        long bytes = model.Facts.Objects("tensors").Sum(group => group.Whole("bytes"));
        long found = tensors.Sum(tensor => tensor.Fields.Whole("bytes"));
        int names = tensors.Select(tensor => tensor.Fields.Text("name")).Distinct(StringComparer.Ordinal).Count();
        if (tensors.Count != count || names != count || found < bytes)
        {
            yield return new Problem(file, $"it has {names} tensors with {found} bytes, but model.json has {count} with {bytes}.");
        }

        foreach ((JsonNode? buffer, SampleSet inside) in tensors.By("buffer"))
        {
            double size = inside.Sum(tensor => tensor.Fields.Whole("bytes")) / Mebibyte;
            if (!log.ModelBuffers.TryGetValue($"{buffer}", out double said))
            {
                yield return new Problem(model.LogFileOf(placement), $"no line contains the size of the buffer {buffer}, which holds {inside.Count} tensors.");
                continue;
            }

            // A mapped buffer is a range of the file, which also contains the data between these tensors.
            bool isMapped = $"{buffer}".EndsWith("_Mapped", StringComparison.Ordinal);
            double most = isMapped ? model.Facts.Whole("bytes") / Mebibyte : size + (inside.Count * PaddingOfTensor);
            if (said < size - Rounding || said > most + Rounding)
            {
                yield return new Problem(model.LogFileOf(placement), string.Create(
                    CultureInfo.InvariantCulture, $"the buffer {buffer} has {said:0.00} MiB there, but its tensors in {file} have {size:0.00} MiB."));
            }
        }
    }

    private static string Whole(JsonObject value, string field) => value.Whole(field).ToString(CultureInfo.InvariantCulture);
}

using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes the memory of each device by moment and source, and the reduction by offloading.</summary>
internal static class MemoryFigures
{
    /// <summary>The name that stands for all devices except the CPU.</summary>
    public const string Devices = "devices";

    /// <summary>Returns the process or device whose memory a sample contains.</summary>
    public static string OwnerOf(Sample sample) => sample.Fields.Text("process") is { Length: > 0 } process ? process : sample.Fields.Text("device");

    public static void Add(FigureSet figures, ModelEvidence model)
    {
        SampleSet all = model.Samples("memory");
        string file = model.SamplesFileOf("memory");
        string root = $"{model.Name}/memory";
        foreach ((JsonNode? moment, SampleSet ofMoment) in all.By("moment"))
        {
            foreach ((JsonNode? source, SampleSet ofSource) in ofMoment.By("source"))
            {
                foreach ((JsonNode? placement, SampleSet samples) in ofSource.By("placement"))
                {
                    AddPlacement(figures, $"{root}/{placement}/{moment}/{source}", file, samples);
                }

                figures.AddComparison(
                    $"{root}/offload_against_device/{moment}/{source}/{Devices}",
                    Units.Percent,
                    FigureMath.Cut,
                    file,
                    (OnDevices(ofSource.Where(new JsonObject { ["placement"] = BenchPlacement.Offload })), "bytes"),
                    (OnDevices(ofSource.Where(new JsonObject { ["placement"] = BenchPlacement.Device })), "bytes"));
            }
        }
    }

    private static void AddPlacement(FigureSet figures, string id, string file, SampleSet samples)
    {
        foreach (IGrouping<string, Sample> owner in samples.GroupBy(sample => OwnerOf(sample)))
        {
            foreach ((JsonNode? kind, SampleSet ofKind) in new SampleSet([.. owner]).By("kind"))
            {
                figures.Add($"{id}/{owner.Key}/{kind}", Units.Bytes, FigureMath.SumPerRound, file, ofKind, "bytes");
            }

            // The numbers of the operating system are different measures of the same memory, so they are not added up.
            if (owner.First().Fields.Text("source") == "allocator")
            {
                figures.Add($"{id}/{owner.Key}/total", Units.Bytes, FigureMath.SumPerRound, file, new SampleSet([.. owner]), "bytes");
            }
        }

        figures.Add($"{id}/{Devices}/total", Units.Bytes, FigureMath.SumPerRound, file, OnDevices(samples), "bytes");
    }

    private static SampleSet OnDevices(SampleSet samples) =>
        new([.. samples.Where(sample => sample.Fields.Text("device") is not ("CPU" or "process"))]);
}

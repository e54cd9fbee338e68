using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about the subject of the report, the machine and the build.</summary>
internal static class MachineSection
{
    public static IEnumerable<Block> Of(string title, EvidenceFolder folder)
    {
        JsonObject machine = folder.Machine;
        yield return new HeadingBlock(1, title);
        yield return new ParagraphBlock(
            "What mixture-of-experts models take and give with all their experts in system memory (`offload`), and with everything on the device (`device`). "
            + "Each figure follows from lines of the files beside this report; `manifest.json` says which, and `moe evidence verify` computes all of them again.");
        if (folder.Models.Any(model => model.IsSynthetic))
        {
            yield return new ParagraphBlock(
                "Synthetic weights: models that are called so have the true shapes, types and metadata, but random numbers for weights. Memory and speed are those of the real model; what it writes means nothing.",
                IsWarning: true);
        }

        if (folder.Models.Any(model => model.Devices.Count == 0))
        {
            yield return new ParagraphBlock("CPU only: there was no second device, so that both placements lie in system memory.", IsWarning: true);
        }

        if (folder.Models.Any(model => model.Devices.Any(device => device.Text("kind") == "rpc")))
        {
            yield return new ParagraphBlock(
                "The second device is an RPC server (ggml-rpc-server): it shows what lies where and that the results agree; its speed is not that of a GPU.", IsWarning: true);
        }

        yield return new HeadingBlock(2, "Machine and build");
        var rows = new List<IReadOnlyList<Cell>>
        {
            Row("measured", machine.Text("measured_at")),
            Row("processor", $"{machine.Text("cpu")}, {Number(machine, "cores")} cores, {Number(machine, "processors")} processors"),
            Row("memory", Size.Of(machine.Whole("memory_bytes"))),
            Row("system", $"{machine.Text("system")}, kernel {machine.Text("kernel")}"),
            Row(".NET", machine.Text("dotnet")),
            Row("llama.cpp", machine.Text("llama_cpp")),
            Row("moe", $"{machine.Text("tool_version")}, commit {machine.Text("git_commit")}{Source(machine)}"),
            Row("NVIDIA driver", machine.Text("nvidia_driver") is { Length: > 0 } driver ? driver : "none"),
        };
        rows.AddRange(machine.Objects("devices").Select(device => Row(
            $"device {device.Text("name")}", $"{device.Text("description")}{(device.Whole("total_bytes") is > 0 and var bytes ? $", {Size.Of(bytes)}" : string.Empty)}")));
        yield return new TableBlock("machine", "On what was measured", ["what", "value"], rows);
        yield return new TableBlock(
            "libraries",
            "The native libraries",
            ["file", "SHA-256"],
            [.. machine.Objects("libraries").Select(library => (IReadOnlyList<Cell>)[library.Text("file"), $"`{library.Text("sha256")}`"])]);
    }

    private static string Source(JsonObject machine) => machine.Text("source_state") switch
    {
        "clean" => string.Empty,
        "changed" => ", with changes that were not committed",
        _ => ", unknown whether changed",
    };

    private static IReadOnlyList<Cell> Row(string what, string value) => [what, value];

    private static string Number(JsonObject value, string field) => value.Whole(field).ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about a model.</summary>
internal static class ModelSection
{
    public static IEnumerable<Block> Of(ModelEvidence model)
    {
        JsonObject facts = model.Facts;
        yield return new HeadingBlock(2, model.IsSynthetic ? $"{model.Name} (synthetic weights)" : model.Name);
        yield return new TableBlock(
            $"{model.Name}/model",
            Conditions.Caption(model, "The model"),
            ["what", "value"],
            [
                ["file", string.Join(", ", facts.Objects("files").Select(file => file.Text("file")))],
                ["size", Size.Of(facts.Whole("bytes"))],
                ["SHA-256", string.Join(", ", facts.Objects("files").Select(file => $"`{file.Text("sha256")}`"))],
                ["architecture", facts.Text("architecture")],
                ["parameters", Size.OfCount(facts.Number("parameters"))],
                ["layers", Number(facts, "layers")],
                ["experts", facts.Whole("expert_count") == 0 ? "none" : $"{Number(facts, "expert_count")} in a layer, {Number(facts, "expert_used_count")} used"],
                ["weights", facts.Flag("synthetic") ? "synthetic: random numbers" : "real"],
                ["context", $"{Number(facts, "context_length")} tokens"],
            ]);
        yield return new TableBlock(
            $"{model.Name}/tensors",
            Conditions.Caption(model, "Its tensors"),
            ["purpose", "type", ">count", ">MiB"],
            [
                .. facts.Objects("tensors").Select(group => (IReadOnlyList<Cell>)
                [
                    group.Text("group"), group.Text("type"), Number(group, "count"), (group.Number("bytes") / (1 << 20)).ToString("0.0", CultureInfo.InvariantCulture),
                ]),
            ]);
    }

    private static string Number(JsonObject value, string field) => value.Whole(field).ToString(CultureInfo.InvariantCulture);
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe inspect</c>, which shows the content of a model's file. It requires no native library.</summary>
internal sealed class InspectCommand : ICliCommand
{
    private readonly ModelArgument _model;
    private readonly Option<bool> _tensors = Opt.Flag("List every tensor", "--tensors");
    private readonly Option<bool> _metadata = Opt.Flag("List the metadata", "--metadata");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public InspectCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        Command = new Command("inspect", "Show the architecture, experts, tensors and sizes of a model, without loading it") { _tensors, _metadata, _json };
        _model.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        CatalogEntry entry = await _model.ReadAsync(invocation).ConfigureAwait(false);
        GgufModelFiles files = ModelLoading.Run(() => GgufModelFiles.Open(entry.Path));
        ModelSummary summary = ModelSummary.Of(files);
        TensorSummary[] groups = TensorSummary.Of(files.Tensors);
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, Describe(invocation.Parsed, entry, files, summary, groups));
        }
        else
        {
            Write(invocation, files, summary, groups);
        }

        return ExitCode.Success;
    }

    private void Write(Invocation invocation, GgufModelFiles files, ModelSummary summary, TensorSummary[] groups)
    {
        TextWriter output = invocation.Terminal.Out;
        var facts = new Columns("model", summary.Name.Length > 0 ? summary.Name : "(no name)");
        facts.Add("file", files.Parts.Count == 1 ? files.Path : $"{files.Path} (of {files.Parts.Count} files)");
        facts.Add("size", Size.Of(files.Length));
        facts.Add("architecture", summary.Architecture);
        facts.Add("parameters", Size.OfCount(summary.ParameterCount));
        facts.Add("layers", Number(summary.LayerCount));
        facts.Add("width", Number(summary.EmbeddingLength));
        facts.Add("context", $"{Number(summary.ContextLength)} tokens");
        facts.Add("experts", summary.ExpertCount == 0
            ? "none, a dense model"
            : $"{summary.ExpertCount} in a layer, {summary.ExpertUsedCount} used{(summary.SharedExpertCount > 0 ? $", {summary.SharedExpertCount} shared" : string.Empty)}");
        facts.WriteTo(output);
        output.WriteLine();

        TensorSummary.WriteTable(output, groups);
        if (invocation.Parsed.GetValue(_metadata))
        {
            output.WriteLine();
            var columns = new Columns("key", "value");
            foreach ((string key, GgufValue value) in files.Metadata)
            {
                columns.Add(key, MetadataText.Of(value));
            }

            columns.WriteTo(output);
        }

        if (invocation.Parsed.GetValue(_tensors))
        {
            output.WriteLine();
            var columns = new Columns("tensor", "group", "type", "shape", ">size");
            foreach (GgufTensorInfo tensor in files.Tensors)
            {
                columns.Add(
                    tensor.Name, TensorSummary.NameOf(tensor.Name), GgmlTypeInfo.Get(tensor.Type).Name, string.Join(" x ", tensor.Dimensions), Size.Of(tensor.ByteCount));
            }

            columns.WriteTo(output);
        }
    }

    private JsonObject Describe(ParseResult parsed, CatalogEntry entry, GgufModelFiles files, ModelSummary summary, TensorSummary[] groups)
    {
        var json = new JsonObject
        {
            ["name"] = entry.Name,
            ["path"] = files.Path,
            ["files"] = Json.Array(files.Parts.Select(part => part.Path!)),
            ["bytes"] = files.Length,
            ["model_name"] = summary.Name,
            ["architecture"] = summary.Architecture,
            ["parameters"] = summary.ParameterCount,
            ["layers"] = summary.LayerCount,
            ["embedding_length"] = summary.EmbeddingLength,
            ["context_length"] = summary.ContextLength,
            ["experts"] = summary.ExpertCount,
            ["experts_used"] = summary.ExpertUsedCount,
            ["experts_shared"] = summary.SharedExpertCount,
            ["tensor_groups"] = TensorSummary.Describe(groups),
        };
        if (parsed.GetValue(_metadata))
        {
            var metadata = new JsonObject();
            foreach ((string key, GgufValue value) in files.Metadata)
            {
                metadata[key] = MetadataText.Of(value);
            }

            json["metadata"] = metadata;
        }

        if (parsed.GetValue(_tensors))
        {
            json["tensors"] = Json.Array(files.Tensors.Select(tensor => new JsonObject
            {
                ["name"] = tensor.Name,
                ["group"] = TensorSummary.NameOf(tensor.Name),
                ["type"] = GgmlTypeInfo.Get(tensor.Type).Name,
                ["shape"] = Json.Array(tensor.Dimensions.Select(length => (JsonNode?)length)),
                ["bytes"] = tensor.ByteCount,
            }));
        }

        return json;
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}

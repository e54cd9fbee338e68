using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Gguf;
using MoeOffload.Server.Http;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.Ollama;

/// <summary>Handles Ollama's lists and descriptions of models: <c>/api/tags</c>, <c>/api/ps</c>, <c>/api/show</c>.</summary>
internal sealed class ModelEndpoints(FileFactsReader files)
{
    // Clients cannot read the latest time of .NET, so a model that stays loaded expires in the far future.
    private const int YearsLoaded = 290;

    private const string TemplateKey = "tokenizer.chat_template";

    public Task ListAsync(ApiRequest request) => request.WriteJsonAsync(
        new TagsAnswer([.. request.Models.List().Select(status => Tag(status.Entry))]), OllamaJson.Default.TagsAnswer);

    // Lists the models in memory, even if their files no longer exist.
    public Task ListLoadedAsync(ApiRequest request)
    {
        DateTime expiry = request.Models.Options.IdleUnload is { } idle ? DateTime.UtcNow + idle : DateTime.UtcNow.AddYears(YearsLoaded);
        ModelTag[] tags =
        [
            .. request.Models.GetLoaded().Select(loaded => Tag(loaded.Status.Entry) with
            {
                Size = loaded.Status.MemoryBytes,
                SizeVram = loaded.Model.Memory.Where(use => !use.IsHost).Sum(use => use.TotalBytes),
                ExpiresAt = expiry,
                ContextLength = loaded.Model.Session?.SequenceLength,
            }),
        ];
        return request.WriteJsonAsync(new TagsAnswer(tags), OllamaJson.Default.TagsAnswer);
    }

    public async Task ShowAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string name = body.Text("model") ?? body.Text("name") ?? throw body.Missing("model");
        CatalogEntry entry = request.FindModel(name);
        GgufMetadata metadata;
        try
        {
            metadata = GgufModelFiles.Open(entry.Path).Metadata;
        }
        catch (Exception error) when (error is MoeOffloadException or IOException or UnauthorizedAccessException)
        {
            throw new ApiException(502, "server_error", "model_load_failed", $"The file of '{entry.Name}' cannot be read: {error.Message}", "model", error);
        }

        metadata.TryGetString(TemplateKey, out string template);
        metadata.TryGetString("general.license", out string license);
        FileFacts facts = files.Read(entry);
        JsonObject described = Describe(metadata, body.Flag("verbose") ?? false);
        int? served = request.Models.GetServedLength(entry);
        if (served is { } length)
        {
            // Clients cut their chats to this length.
            described[$"{facts.Architecture}.context_length"] = length;
        }

        await request.WriteJsonAsync(
            new ShowAnswer(
                license,
                $"FROM {entry.Name}",
                served is null ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"num_ctx {served}"),
                template ?? string.Empty,
                Details(facts),
                described,
                Capabilities(facts.Architecture, template, request.Models.ReadsImages(entry)),
                facts.ModifiedAt),
            OllamaJson.Default.ShowAnswer).ConfigureAwait(false);
    }

    private static ModelDetails Details(FileFacts facts) =>
        new(string.Empty, "gguf", facts.Architecture, [facts.Architecture], facts.ParameterSize, facts.Quantization);

    // As in Ollama, long arrays (those of the vocabulary) are only included on request.
    private static JsonObject Describe(GgufMetadata metadata, bool isVerbose)
    {
        var described = new JsonObject();
        foreach ((string key, GgufValue value) in metadata.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            if (key != TemplateKey)
            {
                described[key] = value.IsArray && !isVerbose ? null : Describe(value);
            }
        }

        return described;
    }

    private static JsonNode? Describe(GgufValue value)
    {
        if (!value.IsArray)
        {
            return value.TryGetString(out string text) ? text
                : value.TryGetBoolean(out bool flag) ? flag
                : value.TryGetInt64(out long number) ? number
                : value.TryGetDouble(out double real) && double.IsFinite(real) ? real
                : (JsonNode?)value.ToString();
        }

        return value.ElementType switch
        {
            GgufValueType.String => new JsonArray([.. value.ToStringArray().Select(text => JsonValue.Create(text))]),
            GgufValueType.Float32 or GgufValueType.Float64 =>
                new JsonArray([.. Enumerable.Range(0, value.Count).Select(value.GetDouble).Select(real => double.IsFinite(real) ? JsonValue.Create(real) : null)]),
            GgufValueType.Array or GgufValueType.Boolean => value.ToString(),
            _ => new JsonArray([.. Enumerable.Range(0, value.Count).Select(value.GetInt64).Select(number => JsonValue.Create(number))]),
        };
    }

    private static List<string> Capabilities(string architecture, string? template, bool readsImages)
    {
        // These are llama.cpp's encoders.
        if (architecture.Contains("bert", StringComparison.Ordinal) || architecture.EndsWith("-embedding", StringComparison.Ordinal))
        {
            return ["embedding"];
        }

        List<string> capabilities = ["completion"];
        if (template?.Contains("tools", StringComparison.Ordinal) == true)
        {
            capabilities.Add("tools");
        }

        if (template?.Contains("think", StringComparison.Ordinal) == true || template?.Contains("reasoning", StringComparison.Ordinal) == true)
        {
            capabilities.Add("thinking");
        }

        if (readsImages)
        {
            capabilities.Add("vision");
        }

        return capabilities;
    }

    private ModelTag Tag(CatalogEntry entry)
    {
        FileFacts facts = files.Read(entry);
        return new ModelTag(entry.Name, entry.Name, facts.ModifiedAt, entry.Bytes, facts.DigestOf(entry), Details(facts));
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Represents the fields that Ollama's chat and generate requests have in common.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Sampling">The sampling options.</param>
/// <param name="MaxTokens">The maximum number of tokens of the answer.</param>
/// <param name="Stops">The stop strings.</param>
/// <param name="Schema">The schema of the answer.</param>
/// <param name="Reasoning">Whether the model reasons before it answers.</param>
/// <param name="Effort">The reasoning effort, as the chat template names it.</param>
/// <param name="IsStreamed">Whether the answer is streamed.</param>
/// <param name="UnloadAfter">Whether the model is unloaded after the answer.</param>
internal sealed partial record OllamaSettings(
    string? Model,
    SamplingOptions Sampling,
    int? MaxTokens,
    IReadOnlyList<string> Stops,
    JsonSchema? Schema,
    bool Reasoning,
    string? Effort,
    bool IsStreamed,
    bool UnloadAfter)
{
    private static readonly JsonSchema s_anyObject = JsonSchema.Parse("""{"type":"object","additionalProperties":true}""");

    /// <summary>Reads the settings.</summary>
    /// <exception cref="ApiException">A field has the wrong type or is out of range.</exception>
    public static OllamaSettings Read(JsonFields body, ApiRequest request)
    {
        SamplingOptions sampling = request.Options.Sampling;
        int? asked = null;
        IReadOnlyList<string> stops = [];
        if (body.Object("options") is { } options)
        {
            request.ReadContextLength(options);
            sampling = GenerationFields.ReadSampling(options, sampling);
            asked = options.Integer("num_predict") is > 0 and var most ? most : null;
            stops = GenerationFields.ReadStops(options);
            FieldTables.OllamaOptions.Apply(options);
        }

        (bool reasoning, string? effort) = ReadThinking(body);
        JsonSchema? schema = ReadSchema(body);
        request.NoteUnenforced(schema);
        return new OllamaSettings(
            body.Text("model"),
            body.Flag("logprobs") == true ? sampling with { TopLogProbabilities = body.Integer("top_logprobs", 0, 20) ?? 0 } : sampling,
            request.LimitTokens(asked),
            stops,
            schema,
            reasoning,
            effort,
            body.Flag("stream") ?? true,
            ReadUnload(body));
    }

    /// <summary>Creates the options of a chat.</summary>
    /// <param name="tools">The tools that the model may call.</param>
    public ChatOptions ToChat(IReadOnlyList<ToolDefinition> tools) => new()
    {
        Tools = tools,
        Sampling = Sampling,
        MaxTokens = MaxTokens,
        StopStrings = Stops,
        ResponseSchema = Schema,
        Reasoning = Reasoning,
        TemplateArguments = Effort is null ? new Dictionary<string, JsonNode?>() : new Dictionary<string, JsonNode?> { ["reasoning_effort"] = Effort },
    };

    /// <summary>Reads Ollama's <c>keep_alive</c>: a time, of which only 0 has an effect, because the server's options determine how long models stay loaded.</summary>
    public static bool ReadUnload(JsonFields body)
    {
        if (body.Any("keep_alive") is not { } value)
        {
            return false;
        }

        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.TryGetDouble(out double seconds) && seconds == 0;
        }

        string text = body.Text("keep_alive")!;
        return Duration().IsMatch(text)
            ? !text.Any(c => c is >= '1' and <= '9')
            : throw ApiException.Invalid("'keep_alive' must be a number of seconds, or a time such as \"5m\".", "keep_alive");
    }

    // This is the format of durations in Go.
    [GeneratedRegex(@"^[+-]?(\d+(\.\d+)?|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();

    private static JsonSchema? ReadSchema(JsonFields body) => body.Any("format") switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } schema => ClientInput.Check(() => JsonSchema.ParseLenient(schema.GetRawText()), "format", "invalid_json_schema"),
        _ => body.Text("format") switch
        {
            "" => null,
            "json" => s_anyObject,
            _ => throw ApiException.Invalid("'format' must be \"json\" or a JSON schema.", "format"),
        },
    };

    private static (bool Reasoning, string? Effort) ReadThinking(JsonFields body) => body.Any("think") switch
    {
        null or { ValueKind: JsonValueKind.True } => (true, null),
        { ValueKind: JsonValueKind.False } => (false, null),
        _ => (true, body.Word("think", "low", "medium", "high", "max")),
    };
}

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using ChatOptions = Microsoft.Extensions.AI.ChatOptions;

namespace MoeOffload.Extensions.AI;

/// <summary>Maps the options of Microsoft.Extensions.AI onto those of a chat.</summary>
/// <param name="defaults">The options of requests that do not specify otherwise.</param>
/// <param name="modelId">The only model that a request can name, or null if it can name any.</param>
/// <param name="logger">The logger, or null.</param>
internal sealed partial class OptionsMapping(Chat.ChatOptions defaults, string? modelId, ILogger? logger)
{
    // The JSON mode of OpenAI's API, which has no schema, returns an object.
    private const string AnyObject = """{"type":"object"}""";

    private readonly ConcurrentDictionary<string, bool> _unknown = new();

    /// <summary>Maps options. Parsing a schema takes time that grows with it, so this is done on the thread pool.</summary>
    /// <param name="options">The options, or null for the default ones.</param>
    /// <param name="client">The client that the options' factory of a raw representation is called with.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <exception cref="NotSupportedException">The options request something that the client cannot do.</exception>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    public async Task<Chat.ChatOptions> MapAsync(ChatOptions? options, IChatClient? client, CancellationToken cancellationToken)
    {
        if (options is null)
        {
            return defaults;
        }

        Refuse(options);
        Chat.ChatOptions mapped = AdditionalOptions.Apply(Start(options, client), options.AdditionalProperties, Ignore);
        SamplingOptions sampling = MapSampling(options, mapped.Sampling ?? new SamplingOptions());
        return MapReasoning(options.Reasoning, mapped) with
        {
            Sampling = sampling,
            MaxTokens = options.MaxOutputTokens ?? mapped.MaxTokens,
            StopStrings = options.StopSequences is { } stops ? [.. stops] : mapped.StopStrings,
            Tools = options.Tools is { } tools ? [.. tools.Select(Map)] : mapped.Tools,
            ToolChoice = options.ToolMode is null ? mapped.ToolChoice : Map(options.ToolMode),
            ParallelToolCalls = options.AllowMultipleToolCalls ?? mapped.ParallelToolCalls,
            ResponseSchema = options.ResponseFormat is null
                ? mapped.ResponseSchema
                : await MapAsync(options.ResponseFormat, cancellationToken).ConfigureAwait(false),
        };
    }

    private Chat.ChatOptions Start(ChatOptions options, IChatClient? client) => client is null ? defaults : options.RawRepresentationFactory?.Invoke(client) switch
    {
        null => defaults,
        Chat.ChatOptions own => own,
        { } other => throw new ArgumentException(
            $"RawRepresentationFactory returned a {other.GetType()}, but only a {typeof(Chat.ChatOptions)} can be used. Return one, or null.", nameof(options)),
    };

    private void Refuse(ChatOptions options)
    {
        if (options.ModelId is { } asked && modelId is not null && asked != modelId)
        {
            throw new NotSupportedException($"The client runs the model '{modelId}', but '{asked}' was requested. Remove ModelId, or use a client of that model.");
        }

        if (options.ContinuationToken is not null)
        {
            throw new NotSupportedException("Responses are not continued in the background. Remove ContinuationToken.");
        }
    }

    private void Ignore(string property)
    {
        if (logger is not null && _unknown.TryAdd(property, true))
        {
            UnknownProperty(logger, property);
        }
    }

    private static SamplingOptions MapSampling(ChatOptions options, SamplingOptions sampling)
    {
        if (options.FrequencyPenalty is not null || options.PresencePenalty is not null)
        {
            PenaltiesSampler penalties = sampling.Penalties ?? new PenaltiesSampler();
            sampling = sampling with
            {
                Penalties = penalties with
                {
                    Frequency = options.FrequencyPenalty ?? penalties.Frequency,
                    Presence = options.PresencePenalty ?? penalties.Presence,
                },
            };
        }

        return sampling with
        {
            Temperature = options.Temperature ?? sampling.Temperature,
            TopP = options.TopP ?? sampling.TopP,
            TopK = options.TopK ?? sampling.TopK,

            // llama.cpp's seeds have 32 bits, and the largest value means a random seed.
            Seed = options.Seed is { } seed ? (uint)((ulong)seed % uint.MaxValue) : sampling.Seed,
        };
    }

    private static Chat.ChatOptions MapReasoning(ReasoningOptions? reasoning, Chat.ChatOptions options) => reasoning?.Effort switch
    {
        null => options,
        ReasoningEffort.None => options with { Reasoning = false },
        { } effort => options with
        {
            Reasoning = true,
            TemplateArguments = new Dictionary<string, JsonNode?>(options.TemplateArguments) { ["reasoning_effort"] = Name(effort) },
        },
    };

    // The names that chat templates know.
    private static string Name(ReasoningEffort effort) => effort switch
    {
        ReasoningEffort.Low => "low",
        ReasoningEffort.Medium => "medium",
        ReasoningEffort.High => "high",
        ReasoningEffort.ExtraHigh => "xhigh",
        _ => throw new ArgumentException($"{effort} is not a reasoning effort.", nameof(effort)),
    };

    private static ToolDefinition Map(AITool tool) => tool is AIFunctionDeclaration function
        ? new ToolDefinition { Name = function.Name, Description = function.Description, Parameters = function.JsonSchema.GetRawText() }
        : throw new NotSupportedException(
            $"The tool '{tool?.Name}' is a {tool?.GetType().Name}, which a service executes. Remove it, or use an AIFunction, which the application executes.");

    private static ToolChoice Map(ChatToolMode mode) => mode switch
    {
        NoneChatToolMode => ToolChoice.None,
        RequiredChatToolMode { RequiredFunctionName: { } name } => ToolChoice.Tool(name),
        RequiredChatToolMode => ToolChoice.Required,
        _ => ToolChoice.Auto,
    };

    private static async Task<JsonSchema?> MapAsync(ChatResponseFormat format, CancellationToken cancellationToken) => format is ChatResponseFormatJson json
        ? await JsonSchema.ParseAsync(json.Schema?.GetRawText() ?? AnyObject, cancellationToken).ConfigureAwait(false)
        : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The additional property '{Property}' of chat options is unknown and therefore ignored.")]
    private static partial void UnknownProperty(ILogger logger, string property);
}

using System.Text.Json.Nodes;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>How a chat is rendered and answered. Plain data: making one calls nothing.</summary>
public sealed record ChatOptions
{
    /// <summary>The tools that the model may call; by default none.</summary>
    public IReadOnlyList<ToolDefinition> Tools { get; init; } = [];

    /// <summary>Whether it calls them; by default it decides.</summary>
    public ToolChoice ToolChoice { get; init; }

    /// <summary>
    /// Whether it may call several at once; null, the default, is what its template can. False is kept by llama.cpp's grammar of the calls,
    /// but not where each call has tags of its own, as with Qwen3's template: there the model may still begin another one.
    /// </summary>
    public bool? ParallelToolCalls { get; init; }

    /// <summary>Whether a model that can choose thinks before it answers; by default it does.</summary>
    public bool Reasoning { get; init; } = true;

    /// <summary>Where what it thinks goes.</summary>
    public ReasoningFormat ReasoningFormat { get; init; }

    /// <summary>A JSON schema that the answer follows; by default none. Not together with tools that may be called.</summary>
    public JsonSchema? ResponseSchema { get; init; }

    /// <summary>Variables of the template, such as <c>reasoning_effort</c>.</summary>
    public IReadOnlyDictionary<string, JsonNode?> TemplateArguments { get; init; } = new Dictionary<string, JsonNode?>();

    /// <summary>The template; null, the default, is the model's own.</summary>
    public ChatTemplate? Template { get; init; }

    /// <summary>How tokens are chosen; null takes the defaults. A grammar in it is one of the raw answer, and excludes tools and a schema.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>The most tokens of the answer; null goes on until the model ends or the context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Texts that end the answer where they appear, in what the model writes before it is parsed.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <inheritdoc cref="GenerationRequest.Priority"/>
    public int Priority { get; init; }

    /// <summary>
    /// The time that the answer may take, from the first reading of its stream, waiting for a place included; then it is cut, as with
    /// <see cref="MaxTokens"/>. Default: null, there is no limit.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Checks what takes no longer for larger options.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        ArgumentNullException.ThrowIfNull(Tools);
        ArgumentNullException.ThrowIfNull(StopStrings);
        ArgumentNullException.ThrowIfNull(TemplateArguments);
        if (ToolChoice.IsRequired && Tools.Count == 0)
        {
            throw new ArgumentException("ToolChoice asks for a call, and there are no Tools: add some, or use ToolChoice.Auto.", nameof(ToolChoice));
        }

        CheckConstraints(mayCall: Tools.Count > 0 && ToolChoice != ToolChoice.None);
    }

    /// <summary>Checks what takes longer the larger it is.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateContent()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolDefinition tool in Tools)
        {
            CheckTool(tool, names);
        }

        if (ToolChoice.ToolName is { } chosen && !names.Contains(chosen))
        {
            throw new ArgumentException($"ToolChoice names the tool '{chosen}', Tools has {string.Join(", ", names)}.", nameof(ToolChoice));
        }
    }

    private static void CheckTool(ToolDefinition tool, HashSet<string> names)
    {
        ArgumentNullException.ThrowIfNull(tool, nameof(Tools));
        if (string.IsNullOrEmpty(tool.Name) || tool.Name.Any(char.IsWhiteSpace) || tool.Name.Length > 128)
        {
            throw new ArgumentException($"The tool name '{tool.Name}' is empty, has white space, or is longer than 128 characters.", nameof(Tools));
        }

        if (!names.Add(tool.Name))
        {
            throw new ArgumentException($"Two tools are named '{tool.Name}'.", nameof(Tools));
        }
    }

    private void CheckConstraints(bool mayCall)
    {
        if (ResponseSchema is not null && mayCall)
        {
            throw new ArgumentException(
                "ResponseSchema and Tools exclude each other: an answer is either of the schema or a call. Set ToolChoice.None, or leave out one.", nameof(ResponseSchema));
        }

        if (Sampling?.JsonSchema is not null)
        {
            throw new ArgumentException("Of a chat the schema goes to ResponseSchema, since the template frames the answer.", nameof(Sampling));
        }

        if (Sampling?.Grammar is not null && (mayCall || ResponseSchema is not null))
        {
            throw new ArgumentException("Sampling.Grammar excludes Tools and ResponseSchema, which are grammars too.", nameof(Sampling));
        }
    }
}

using System.Text.Json.Nodes;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>Provides options for rendering and answering a chat.</summary>
public sealed record ChatOptions
{
    /// <summary>Gets or sets the tools that the model can call. The default is an empty list.</summary>
    public IReadOnlyList<ToolDefinition> Tools
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Tools));
    } = [];

    /// <summary>Gets or sets a value that specifies whether the model calls tools. The default is <see cref="ToolChoice.Auto"/>.</summary>
    public ToolChoice ToolChoice { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether the model can call several tools in one answer, or <see langword="null"/> to allow what
    /// the template supports. The default is <see langword="null"/>.
    /// </summary>
    /// <remarks>
    /// <see langword="false"/> is enforced by the grammar that llama.cpp creates for tool calls, except if the template puts each call into
    /// tags of its own, as Qwen3's does. With such a template, the model can still start another call.
    /// </remarks>
    public bool? ParallelToolCalls { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether the model reasons before it answers, if the model supports both. The default is
    /// <see langword="true"/>.
    /// </summary>
    public bool Reasoning { get; init; } = true;

    /// <summary>
    /// Gets or sets a value that specifies how the reasoning of the model is returned. The default is
    /// <see cref="ReasoningFormat.Separate"/>.
    /// </summary>
    public ReasoningFormat ReasoningFormat { get; init; }

    /// <summary>
    /// Gets or sets the JSON schema that the answer must follow, or <see langword="null"/> for none. If the model can call tools, an answer
    /// is either a call or JSON of the schema. The default is <see langword="null"/>.
    /// </summary>
    public JsonSchema? ResponseSchema { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether the answer continues the last message, which is from the assistant and then the beginning
    /// of the answer. The answer itself is only what follows. The default is <see langword="false"/>: the answer is a new message.
    /// </summary>
    public bool ContinueLastMessage { get; init; }

    /// <summary>Gets or sets additional variables for the template, such as <c>reasoning_effort</c>.</summary>
    public IReadOnlyDictionary<string, JsonNode?> TemplateArguments
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(TemplateArguments));
    } = new Dictionary<string, JsonNode?>();

    /// <summary>
    /// Gets or sets the chat template, or <see langword="null"/> to use the template of the model. The default is <see langword="null"/>.
    /// </summary>
    public ChatTemplate? Template { get; init; }

    /// <summary>
    /// Gets or sets the sampling options, or <see langword="null"/> for the default options. A grammar in them applies to the unparsed
    /// answer and cannot be combined with tools or a schema.
    /// </summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>
    /// Gets or sets the maximum number of tokens of the answer, or <see langword="null"/> to generate until the model ends its answer or
    /// the context is full.
    /// </summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Gets or sets the strings that end the answer when the model generates one of them. They are compared with the output of the model
    /// before it is parsed.
    /// </summary>
    public IReadOnlyList<string> StopStrings
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(StopStrings));
    } = [];

    /// <inheritdoc cref="GenerationRequest.StopTokens"/>
    public IReadOnlyList<int> StopTokens
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(StopTokens));
    } = [];

    /// <inheritdoc cref="GenerationRequest.Priority"/>
    public int Priority { get; init; }

    /// <summary>
    /// Gets or sets the time limit of the answer, or <see langword="null"/> for no limit. The time is measured from the first read of the
    /// stream and includes the time in the queue. When it expires, the answer is cut off, as with <see cref="MaxTokens"/>. The default is
    /// <see langword="null"/>.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Gets or sets a value that specifies what happens if the chat is too long for the context. The default is
    /// <see cref="ChatOverflow.OmitOldestTurns"/>.
    /// </summary>
    public ChatOverflow Overflow { get; init; }

    /// <summary>
    /// Gets or sets what happens when the answer fills its share of the context. The default is <see cref="ContextFullAction.Stop"/>, which
    /// cuts the answer off.
    /// </summary>
    public ContextFullAction ContextFull { get; init; }

    /// <inheritdoc cref="GenerationRequest.KeepTokens"/>
    public int? KeepTokens { get; init; }

    /// <summary>Validates the options that can be checked in constant time.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        if (ToolChoice.IsRequired && Tools.Count == 0)
        {
            throw new ArgumentException("ToolChoice requires a tool call, but Tools is empty. Add a tool, or use ToolChoice.Auto.", nameof(ToolChoice));
        }

        OptionRange.CheckDefined(Overflow, nameof(Overflow));
        CheckConstraints(mayCall: Tools.Count > 0 && ToolChoice != ToolChoice.None);
    }

    /// <summary>Validates the options whose check takes longer the larger they are.</summary>
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
            throw new ArgumentException($"ToolChoice requires the tool '{chosen}', which is not in Tools. The tools are {string.Join(", ", names)}.", nameof(ToolChoice));
        }
    }

    private static void CheckTool(ToolDefinition tool, HashSet<string> names)
    {
        ArgumentNullException.ThrowIfNull(tool, nameof(Tools));
        if (string.IsNullOrEmpty(tool.Name) || tool.Name.Any(char.IsWhiteSpace) || tool.Name.Length > 128)
        {
            throw new ArgumentException($"The tool name '{tool.Name}' is not valid: it is empty, contains white space, or is longer than 128 characters.", nameof(Tools));
        }

        if (!names.Add(tool.Name))
        {
            throw new ArgumentException($"Two tools are named '{tool.Name}'.", nameof(Tools));
        }
    }

    private void CheckConstraints(bool mayCall)
    {
        if (Sampling?.JsonSchema is not null)
        {
            throw new ArgumentException("Sampling.JsonSchema cannot be used for a chat, whose template adds text around the answer. Set ResponseSchema instead.", nameof(Sampling));
        }

        if (Sampling?.Grammar is not null && (mayCall || ResponseSchema is not null))
        {
            throw new ArgumentException("Sampling.Grammar cannot be combined with Tools or ResponseSchema, which define grammars too. Remove one of them.", nameof(Sampling));
        }
    }
}

using System.Text;

namespace MoeOffload.Server.Fields;

/// <summary>Lists the fields that the server does not implement, for each endpoint. The documentation has the same list.</summary>
internal static class FieldTables
{
    private const string OnlyText = "this server generates only text";
    private const string NoStore = "the server does not store responses; send the whole input";
    private const string OwnTemplate = "start the server with --chat-template or --chat-template-file";
    private const string NoBeams = "the server samples one token at a time; use temperature and n";

    // Hints, identifiers and bookkeeping of OpenAI's own service, and of others that serve its API.
    private static readonly string[] s_openAI =
    [
        "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "moderation",
        "client_metadata", "cache_prompt", "cache_salt", "id_slot", "slot_id", "request_id", "priority", "keep_alive", "ttl", "n_keep", "n_cache_reuse",
        "provider", "route", "models", "transforms", "usage", "plugins", "session_id", "trace", "extra_headers", "extra_query", "timeout", "drop_params",
        "skip_special_tokens", "spaces_between_special_tokens", "include_stop_str_in_output", "return_token_ids", "return_tokens_as_token_ids", "prompt_logprobs",
        "timings_per_token", "post_sampling_probs", "return_tokens", "response_fields", "n_probs", "kv_transfer_params", "vllm_xargs", "mm_processor_kwargs",
        "backend_sampling", "t_max_predict_ms", "n_indent", "draft_model", "web_search_options", "verbosity", "prediction",
    ];

    // A response repeats or obeys them.
    private static readonly string[] s_ofResponses = ["user", "metadata", "store"];

    private static readonly Dictionary<string, string> s_noBeams = new()
    {
        ["use_beam_search"] = NoBeams,
        ["lora"] = "this server does not load adapters",
        ["min_tokens"] = "use logit_bias or ignore_eos",
        ["bad_words"] = "use logit_bias",
        ["allowed_token_ids"] = "use logit_bias or a grammar",
        ["truncate_prompt_tokens"] = "shorten the prompt",
        ["logits_processors"] = "use logit_bias or a grammar",
    };

    public static FieldRules ChatCompletions { get; } = new(
        "/v1/chat/completions",
        [.. s_openAI, .. s_ofResponses, "add_special_tokens", "parse_tool_calls", "include_reasoning", "add_generation_prompt", "reasoning_split"],
        new Dictionary<string, string>(s_noBeams)
        {
            ["audio"] = OnlyText,
            ["functions"] = "use tools",
            ["function_call"] = "use tool_choice",
            ["chat_template"] = OwnTemplate,
            ["documents"] = "put the documents into a message",
            ["echo"] = "use /v1/completions",
        });

    public static FieldRules Completions { get; } = new(
        "/v1/completions", [.. s_openAI, .. s_ofResponses, "add_special_tokens"], new Dictionary<string, string>(s_noBeams));

    public static FieldRules Responses { get; } = new(
        "/v1/responses",
        [.. s_openAI, "max_tool_calls", "stream_options", "context_management"],
        new Dictionary<string, string>
        {
            ["conversation"] = NoStore,
            ["prompt"] = "the server does not store prompts; send the text as instructions and input",
            ["background"] = "the server answers at once; wait for the response, or use stream",
        });

    public static FieldRules Embeddings { get; } = new(
        "/v1/embeddings", ["user", "keep_alive", "input_type", "task", "truncate", "priority", "metadata"], new Dictionary<string, string>());

    public static FieldRules Messages { get; } = new(
        "/v1/messages",
        ["metadata", "service_tier", "container", "mcp_servers", "context_management", "betas", "anthropic_beta", "inference_geo", "speed", "cache_control", "user_profile_id"],
        new Dictionary<string, string>());

    public static FieldRules OllamaChat { get; } = new("/api/chat", ["shift", "_debug_render_only"], new Dictionary<string, string>());

    public static FieldRules OllamaGenerate { get; } = new(
        "/api/generate",
        ["shift", "truncate", "_debug_render_only"],
        new Dictionary<string, string>
        {
            ["template"] = "the model's own template is used, or none if 'raw' is true; " + OwnTemplate,
            ["context"] = "it is deprecated in Ollama too; send the messages to /api/chat",
        });

    public static FieldRules OllamaOptions { get; } = new(
        "`options` of /api/chat, /api/generate",
        ["num_batch", "num_gpu", "main_gpu", "num_thread", "numa", "use_mmap", "use_mlock", "vocab_only", "low_vram", "f16_kv", "num_keep", "penalize_newline", "tfs_z", "num_gqa", "draft_num_predict"],
        new Dictionary<string, string>());

    public static FieldRules OllamaEmbed { get; } = new("/api/embed, /api/embeddings", ["keep_alive", "options"], new Dictionary<string, string>());

    /// <summary>Gets the rules of all endpoints.</summary>
    public static IReadOnlyList<FieldRules> All { get; } =
        [ChatCompletions, Completions, Responses, Embeddings, Messages, OllamaChat, OllamaGenerate, OllamaOptions, OllamaEmbed];

    /// <summary>Describes the rules in Markdown, for the documentation.</summary>
    public static string Describe()
    {
        var text = new StringBuilder();
        string[] common = [.. s_openAI.Order(StringComparer.Ordinal)];
        text.Append("Accepted without an effect by `/v1/chat/completions`, `/v1/completions` and `/v1/responses`: ").Append(List(common)).Append(".\n\n");
        text.Append("| Requests to | Also accepted without an effect | Rejected |\n| --- | --- | --- |\n");
        foreach (FieldRules rules in All)
        {
            text.Append("| ").Append(rules.Endpoint.Contains('`', StringComparison.Ordinal) ? rules.Endpoint : $"`{rules.Endpoint.Replace(", ", "`, `", StringComparison.Ordinal)}`")
                .Append(" | ").Append(List(rules.Accepted.Where(name => rules.Accepted.Count < common.Length || !common.Contains(name)).Order(StringComparer.Ordinal)))
                .Append(" | ").AppendJoin("; ", rules.Rejected.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => $"`{item.Key}`: {item.Value.Replace("; ", ", ", StringComparison.Ordinal)}"))
                .Append(" |\n");
        }

        return text.ToString();
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"`{name}`"));
}

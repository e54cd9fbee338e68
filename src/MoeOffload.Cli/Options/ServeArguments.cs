using System.CommandLine;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Server;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of the server: its address, its access rules, and its limits.</summary>
internal sealed class ServeArguments
{
    // The server's own limit, which does not apply to idle times.
    private const double LongestSeconds = 24 * 60 * 60;

    private readonly Option<string?> _host = Opt.Text("HOST", "The host to listen on; alternative to --bind", "--host");
    private readonly Option<int?> _port = Opt.Integer("PORT", "The port to listen on, or 0 for a free one; alternative to --bind", 0, 65535, "--port");
    private readonly Option<string[]> _keys = Opt.Texts("KEY", "An API key that requests must present; can be repeated, and any of the keys is accepted", "--api-key");
    private readonly Option<string?> _keyFile = Opt.Text("PATH", "A file with one API key per line", "--api-key-file");
    private readonly Option<bool> _allowRemote = Opt.Flag("Allow requests from other machines without an API key", "--allow-remote-without-key");
    private readonly Option<string[]> _origins = Opt.Texts("ORIGIN", "An origin whose web pages can send requests, such as https://example.org; * allows all", "--cors-origin");
    private readonly Option<int?> _parallel = Opt.Integer("N", "The number of requests that a model processes at once; the default is 4", 1, 256, "--parallel", "-np");
    private readonly Option<bool> _unified = Opt.Flag("Let the requests share one KV cache; the default without --parallel", "--kv-unified", "-kvu");
    private readonly Option<bool> _notUnified = Opt.Flag("Give each request its own part of the KV cache, which is faster; the default with --parallel", "--no-kv-unified", "-no-kvu");
    private readonly Option<double?> _idle = Opt.Number("SECONDS", "Unload a model that has not been used for this time; the default is never", 0.1, 1e9, "--idle-unload");

    private readonly Option<long?> _memory = Opt.Parsed<long?>(
        "SIZE", "The maximum memory of all loaded models; those that were idle the longest are unloaded first", ByteSize.TryParse, "a size such as 24GiB, 8000MB or a number of bytes", "--memory-limit");

    private readonly Option<double?> _timeout = Opt.Number("SECONDS", "The maximum time that a request can take; the default is 600", 0.1, LongestSeconds, "--request-timeout");
    private readonly Option<int?> _concurrent = Opt.Integer("N", "The maximum number of requests at once; the default is 256", 1, 1 << 20, "--max-requests");
    private readonly Option<double?> _grace = Opt.Number("SECONDS", "How long running requests can continue when the server stops; the default is 20", 0.1, LongestSeconds, "--shutdown-grace");
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "The maximum number of tokens of an answer; the default is as many as the context holds", 1, int.MaxValue, "--max-tokens", "-n", "--predict");
    private readonly Option<ReasoningFormat?> _reasoningFormat = Opt.Choice(
        "Where reasoning is: in a field of its own (auto, deepseek), or in the text of the answer (none)",
        new Dictionary<string, ReasoningFormat> { ["auto"] = ReasoningFormat.Separate, ["deepseek"] = ReasoningFormat.Separate, ["none"] = ReasoningFormat.InContent },
        "--reasoning-format");

    private readonly Option<bool> _shift = Opt.Flag("Let answers that fill the context continue, without the older half of what follows the prompt, if the model supports it", "--context-shift");
    private readonly Option<bool> _noShift = Opt.Flag("Cut off answers that fill the context; the default", "--no-context-shift");
    private readonly Option<ChatOverflow?> _overflow = Opt.Choice(
        "What happens if a chat is too long for the context: the request fails (error), or the oldest questions and answers are left out (omit); the default is error",
        new Dictionary<string, ChatOverflow> { ["error"] = ChatOverflow.Error, ["omit"] = ChatOverflow.OmitOldestTurns },
        "--chat-overflow");

    private readonly Option<bool> _strict = Opt.Flag("Reject requests with fields that the server does not know, at every depth; otherwise they are counted and logged", "--strict-requests");
    private readonly Option<string[]> _aliases = Opt.Texts("NAME[=MODEL]", "A further name under which requests find a model, by default the one of the command line; can be repeated", "--alias", "-a");
    private readonly Option<string?> _fallback = Opt.Text("MODEL", "The model that answers requests for models that do not exist; the default is an error", "--fallback-model");
    private readonly Option<bool> _allowChanges = Opt.Flag("Let clients give models further names and download models, with Ollama's API", "--allow-model-changes");
    private readonly Option<bool> _logPrompts = Opt.Flag("Write prompts and answers to the log, with --verbose", "--log-prompts");

    public Option<string?> Bind { get; } = Opt.Text("auto|HOST:PORT", "The address to listen on; 'auto', the default, is SHIMMY_BIND_ADDRESS, or 127.0.0.1:11435, or the next free port", "--bind");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            Bind, _host, _port, _keys, _keyFile, _allowRemote, _origins, _parallel, _unified, _notUnified, _idle, _memory, _timeout, _concurrent, _grace, _maxTokens, _reasoningFormat, _shift, _noShift, _overflow, _strict, _aliases, _fallback, _allowChanges, _logPrompts,
        })
        {
            command.Options.Add(option);
        }

        Opt.Check(_origins, origin => origin == "*" || IsOrigin(origin), "the origin of a web page, such as https://example.org, or * for all");
        Opt.Check(_keys, key => !string.IsNullOrWhiteSpace(key), "a key that is not empty");
        command.Validators.Add(result =>
        {
            if (result.GetValue(Bind) is not null && (result.GetValue(_host) is not null || result.GetValue(_port) is not null))
            {
                result.AddError("--bind cannot be combined with --host and --port: it sets both.");
            }

            if (result.GetValue(_shift) && result.GetValue(_noShift))
            {
                result.AddError("--context-shift and --no-context-shift cannot be combined: use one of them.");
            }

            if (result.GetValue(_unified) && result.GetValue(_notUnified))
            {
                result.AddError("--kv-unified and --no-kv-unified cannot be combined: use one of them.");
            }
        });
    }

    /// <summary>Reads <c>--host</c> and <c>--port</c>; null if neither is given.</summary>
    public string? HostAndPort(ParseResult parsed)
    {
        string? host = parsed.GetValue(_host);
        int? port = parsed.GetValue(_port);
        return host is null && port is null ? null : BindAddress.Join(host ?? "127.0.0.1", port ?? BindAddress.UsualPort);
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="UsageException">The file with keys is empty, or an alias names no model.</exception>
    /// <exception cref="IOException">The file with keys cannot be read.</exception>
    /// <param name="parsed">The command line.</param>
    /// <param name="model">The name of the model on the command line, or <see langword="null"/> if there is none.</param>
    public Action<MoeServerOptions> Read(ParseResult parsed, string? model)
    {
        Dictionary<string, string> aliases = ReadAliases(parsed.GetValue(_aliases) ?? [], model);
        string[] keys = [.. parsed.GetValue(_keys) ?? [], .. ReadKeys(parsed.GetValue(_keyFile))];
        return options =>
        {
            options.Access.ApiKeys = keys;
            options.Access.AllowRemoteWithoutKey = parsed.GetValue(_allowRemote);
            options.Access.CorsOrigins = parsed.GetValue(_origins) ?? [];
            options.Models.Context = options.Models.Context with
            {
                SequenceCount = parsed.GetValue(_parallel) ?? options.Models.Context.SequenceCount,
                KvCache = options.Models.Context.KvCache with { Unified = ReadUnified(parsed) ?? options.Models.Context.KvCache.Unified },
            };
            options.Models.IdleUnload = parsed.GetValue(_idle) is { } idle ? TimeSpan.FromSeconds(idle) : options.Models.IdleUnload;
            options.Models.MemoryLimit = parsed.GetValue(_memory) ?? options.Models.MemoryLimit;
            options.Limits.RequestTimeout = parsed.GetValue(_timeout) is { } limit ? TimeSpan.FromSeconds(limit) : options.Limits.RequestTimeout;
            options.Limits.MaxConcurrentRequests = parsed.GetValue(_concurrent) ?? options.Limits.MaxConcurrentRequests;
            options.Limits.ShutdownGrace = parsed.GetValue(_grace) is { } grace ? TimeSpan.FromSeconds(grace) : options.Limits.ShutdownGrace;
            options.Limits.MaxTokens = parsed.GetValue(_maxTokens) ?? options.Limits.MaxTokens;
            options.Models.Aliases = aliases;
            options.Models.FallbackModel = parsed.GetValue(_fallback) ?? options.Models.FallbackModel;
            options.Models.AllowChanges = parsed.GetValue(_allowChanges);
            options.Requests.ReasoningFormat = parsed.GetValue(_reasoningFormat) ?? options.Requests.ReasoningFormat;
            options.Requests.ContextShift = parsed.GetValue(_shift);
            options.Requests.Overflow = parsed.GetValue(_overflow) ?? options.Requests.Overflow;
            options.Requests.Strict = parsed.GetValue(_strict);
            options.Requests.TranslateMessage = MemberNames.Translate;
            options.Requests.LogPrompts = parsed.GetValue(_logPrompts);
        };
    }

    private static Dictionary<string, string> ReadAliases(string[] aliases, string? model)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string alias in aliases.SelectMany(alias => alias.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            int end = alias.IndexOf('=', StringComparison.Ordinal);
            string name = end < 0 ? alias : alias[..end];
            read[name] = end < 0
                ? model ?? throw new UsageException($"--alias {alias} names no model: use --alias {alias}=MODEL, or put the model on the command line.")
                : alias[(end + 1)..];
        }

        return read;
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.GetLeftPart(UriPartial.Authority) == text;

    // As in llama-server, the context is divided if the number of parallel requests is specified.
    private bool? ReadUnified(ParseResult parsed) => parsed.GetValue(_unified) ? true
        : parsed.GetValue(_notUnified) || parsed.GetValue(_parallel) is not null ? false
        : null;

    // An empty file must not result in a server without keys.
    private static string[] ReadKeys(string? path)
    {
        if (path is null)
        {
            return [];
        }

        string[] keys = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        return keys.Length > 0 ? keys : throw new UsageException($"{path} contains no key: write one key per line.");
    }
}

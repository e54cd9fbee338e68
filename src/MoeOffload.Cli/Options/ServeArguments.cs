using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Server;

namespace MoeOffload.Cli.Options;

/// <summary>Where the server listens, who may ask, and what it allows.</summary>
internal sealed class ServeArguments
{
    // What the server takes; being idle may last longer.
    private const double LongestSeconds = 24 * 60 * 60;

    private readonly Option<string?> _host = Opt.Text("HOST", "The host of --bind, as llama-server has it", "--host");
    private readonly Option<int?> _port = Opt.Integer("PORT", "The port of --bind, as llama-server has it; 0 is a free one", 0, 65535, "--port");
    private readonly Option<string[]> _keys = Opt.Texts("KEY", "A key, of which each request must have one", "--api-key");
    private readonly Option<string?> _keyFile = Opt.Text("PATH", "A file with a key on each line", "--api-key-file");
    private readonly Option<bool> _allowRemote = Opt.Flag("Let other machines ask without a key", "--allow-remote-without-key");
    private readonly Option<string[]> _origins = Opt.Texts("ORIGIN", "A web page's origin that may ask, such as https://example.org; * for all", "--cors-origin");
    private readonly Option<int?> _parallel = Opt.Integer("N", "Generations of a model that run at once; the default is 4", 1, 256, "--parallel", "-np");
    private readonly Option<bool> _unified = Opt.Flag("Have them share one KV cache, as long as it has room for all; the default without --parallel", "--kv-unified", "-kvu");
    private readonly Option<bool> _notUnified = Opt.Flag("Give each its own part of the KV cache, which computes less; the default with --parallel", "--no-kv-unified", "-no-kvu");
    private readonly Option<double?> _idle = Opt.Number("SECONDS", "Unload a model that nobody used for so long; the default is never", 0.1, 1e9, "--idle-unload");

    private readonly Option<long?> _memory = Opt.Parsed<long?>(
        "SIZE", "Most memory that loaded models take; those that were idle for longest are unloaded", ByteSize.TryParse, "a size such as 24GiB, 8000MB or a number of bytes", "--memory-limit");

    private readonly Option<double?> _timeout = Opt.Number("SECONDS", "The longest time that a request may take; the default is 600", 0.1, LongestSeconds, "--request-timeout");
    private readonly Option<int?> _concurrent = Opt.Integer("N", "Requests that are worked on at once; the default is 256", 1, 1 << 20, "--max-requests");
    private readonly Option<double?> _grace = Opt.Number("SECONDS", "How long running requests may continue when the server stops; the default is 20", 0.1, LongestSeconds, "--shutdown-grace");
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "Most tokens of an answer; the default is what there is room for", 1, int.MaxValue, "--max-tokens", "-n", "--predict");
    private readonly Option<bool> _logPrompts = Opt.Flag("Have prompts and answers in logs, with --verbose", "--log-prompts");

    public Option<string?> Bind { get; } = Opt.Text("auto|HOST:PORT", "Where to listen; auto is SHIMMY_BIND_ADDRESS, else 127.0.0.1:11435 or the next free port", "--bind");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            Bind, _host, _port, _keys, _keyFile, _allowRemote, _origins, _parallel, _unified, _notUnified, _idle, _memory, _timeout, _concurrent, _grace, _maxTokens, _logPrompts,
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
                result.AddError("--bind says host and port: leave out --host and --port.");
            }

            if (result.GetValue(_unified) && result.GetValue(_notUnified))
            {
                result.AddError("--kv-unified and --no-kv-unified exclude each other: leave out one.");
            }
        });
    }

    /// <summary>What <c>--host</c> and <c>--port</c> say; null where neither is there.</summary>
    public string? HostAndPort(ParseResult parsed)
    {
        string? host = parsed.GetValue(_host);
        int? port = parsed.GetValue(_port);
        return host is null && port is null ? null : BindAddress.Join(host ?? "127.0.0.1", port ?? BindAddress.UsualPort);
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="UsageException">The file with keys is empty.</exception>
    /// <exception cref="IOException">The file with keys cannot be read.</exception>
    public Action<MoeServerOptions> Read(ParseResult parsed)
    {
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
            options.Requests.LogPrompts = parsed.GetValue(_logPrompts);
        };
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.GetLeftPart(UriPartial.Authority) == text;

    // As llama-server: who says how many run at once divides the context among them.
    private bool? ReadUnified(ParseResult parsed) => parsed.GetValue(_unified) ? true
        : parsed.GetValue(_notUnified) || parsed.GetValue(_parallel) is not null ? false
        : null;

    // An empty file must not mean a server without keys.
    private static string[] ReadKeys(string? path)
    {
        if (path is null)
        {
            return [];
        }

        string[] keys = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        return keys.Length > 0 ? keys : throw new UsageException($"{path} has no key: write one on each line.");
    }
}

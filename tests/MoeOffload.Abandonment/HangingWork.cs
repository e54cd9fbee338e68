using MoeOffload.Embeddings;
using MoeOffload.Fixtures;

namespace MoeOffload.Abandonment;

/// <summary>Work on an RPC server that is stopped in the middle of it.</summary>
internal sealed class HangingWork : IDisposable
{
    /// <summary>Generates with a chain of samplers, a grammar and an adapter.</summary>
    public const string Sampling = "sampling";

    /// <summary>Generates with a draft model.</summary>
    public const string Drafting = "drafting";

    /// <summary>Copies the KV cache to system memory.</summary>
    public const string Saving = "saving";

    /// <summary>Computes embeddings.</summary>
    public const string Embedding = "embedding";

    private static readonly ContextOptions s_context = new() { ContextLength = 4096, Threads = { Decode = 1, Prompt = 1 } };

    private static readonly SamplingOptions s_sampling = new()
    {
        Seed = 1,
        IgnoreEndOfSequence = true,
        Penalties = new PenaltiesSampler { Repeat = 1.1f },
        TopLogProbabilities = 3,
    };

    private readonly string _name;
    private readonly RpcServer _server = RpcServer.Start();
    private readonly List<IDisposable> _disposables = [];
    private readonly MoeModel _model;
    private readonly TinyModel _file;

    public HangingWork(TinyModel file, string name)
    {
        _file = file;
        _name = name;
        _model = Keep(MoeModel.Load(file.Path, new ModelOptions { RpcServers = [_server.Address] }));
    }

    /// <summary>Begins, stops the server, and waits until the thread that hangs is abandoned.</summary>
    public async Task HangAsync()
    {
        Func<Task> work = _name switch
        {
            Sampling => Generate(s_context with
            {
                Adapters = [new ScaledAdapter(Keep(_model.LoadAdapter(TinyAdapters.Write(_file, TinyAdapters.IsAttention))))],
            }),
            Drafting => Generate(s_context with
            {
                Speculation = new SpeculationOptions { DraftModel = _model, MinAcceptanceRate = 0 },
            }),
            Saving => await SaveAsync(),
            Embedding => await EmbedAsync(),
            _ => throw new ArgumentException($"'{_name}' is not a kind of work."),
        };
        try
        {
            await work();
        }
        catch (InferenceException exception) when (exception.Message.Contains("aborted in a thread", StringComparison.Ordinal))
        {
            return;
        }

        throw new InvalidOperationException("The work ended in spite of the server.");
    }

    /// <summary>Lets the server go on, which still has the call to answer.</summary>
    public void Resume() => _server.Thaw();

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();

    /// <summary>Disposes sessions, adapters and models.</summary>
    public void Release()
    {
        for (int i = _disposables.Count - 1; i >= 0; i--)
        {
            _disposables[i].Dispose();
        }

        _disposables.Clear();
    }

    private T Keep<T>(T disposable)
        where T : IDisposable
    {
        _disposables.Add(disposable);
        return disposable;
    }

    private Func<Task> Generate(ContextOptions options) => async () =>
    {
        GenerationSession session = Keep(_model.CreateSession(options));
        var request = new GenerationRequest { Prompt = "Once upon a time", Sampling = s_sampling with { Grammar = "root ::= [^\\x00]*" } };
        int read = 0;
        await foreach (GeneratedToken token in session.GenerateAsync(request))
        {
            if (++read == 3)
            {
                _server.Freeze();
                await ForeignAbort.RaiseInHangingStepAsync();
            }
        }
    };

    private async Task<Func<Task>> SaveAsync()
    {
        GenerationSession session = Keep(_model.CreateSession(s_context));
        var request = new GenerationRequest { PromptTokens = [.. Enumerable.Range(0, 1500).Select(i => i % 200)], Sampling = SamplingOptions.Greedy, MaxTokens = 1 };
        await foreach (GeneratedToken token in session.GenerateAsync(request))
        {
        }

        return async () =>
        {
            _server.Freeze();
            Task<int> saving = session.SaveStateAsync(Stream.Null);
            await ForeignAbort.RaiseInHangingStepAsync();
            await saving;
        };
    }

    private async Task<Func<Task>> EmbedAsync()
    {
        Embedder embedder = Keep(_model.CreateEmbedder(new EmbeddingOptions { Pooling = EmbeddingPooling.Mean, ContextLength = 512, Threads = { Decode = 1 } }));
        int[] text = new int[512];
        await embedder.EmbedAsync([text]);
        return async () =>
        {
            Task<IReadOnlyList<TextEmbedding>> running = embedder.EmbedAsync([.. Enumerable.Repeat(text, 1000)]);
            _server.Freeze();
            await ForeignAbort.RaiseInHangingStepAsync();
            await running;
        };
    }
}

using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>
/// Represents the answers to a request, independently of the API. It acquires the model, starts the generations, validates and logs their
/// prompts, and reads the answers concurrently. Disposing it ends running generations, counts all of them, and releases the model.
/// </summary>
/// <typeparam name="TStream">The stream of one answer.</typeparam>
/// <typeparam name="TItem">The type of the items of a stream.</typeparam>
internal abstract class Answers<TStream, TItem>(ApiRequest request, ModelLease lease) : IAsyncDisposable
    where TStream : class, IAsyncEnumerable<TItem>, IAsyncDisposable, IDisposable
{
    private readonly List<TStream> _streams = [];

    /// <summary>Gets the name of the model in the catalog.</summary>
    public string ModelName => lease.Name;

    /// <summary>Gets the model.</summary>
    public MoeModel Model => lease.Model;

    /// <summary>Gets the time that the request waited for the model.</summary>
    public TimeSpan LoadTime { get; } = request.Elapsed;

    /// <summary>Gets the streams of the answers.</summary>
    public IReadOnlyList<TStream> Streams => _streams;

    /// <summary>Gets the first answer's stream, which is the only one unless a request asks for several.</summary>
    public TStream Stream => _streams[0];

    /// <summary>Gets the statistics of each answer that has ended.</summary>
    public IReadOnlyList<GenerationStatistics?> Statistics => [.. _streams.Select(StatisticsOf)];

    protected ApiRequest Request => request;

    /// <summary>Reads all answers while they are generated.</summary>
    /// <returns>The items of all answers, each with the number of its answer.</returns>
    public IAsyncEnumerable<(int Index, TItem Item)> ReadAsync()
    {
        IAsyncEnumerable<(int Index, TItem Item)> items = MergedStreams.ReadAsync<TItem>(_streams, request.Cancellation);
        return request.Stream?.GatherAsync(items) ?? items;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (TStream stream in _streams)
            {
                stream.Dispose();
            }

            // The statistics of a generation are available after it has ended, even if its client has disconnected.
            foreach (TStream stream in _streams)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                request.Count(StatisticsOf(stream));
            }
        }
        finally
        {
            lease.Dispose();
        }
    }

    /// <summary>Acquires a model that generates.</summary>
    /// <exception cref="ApiException">There is no model with this name, or it only creates embeddings.</exception>
    protected static async Task<ModelLease> AcquireAsync(ApiRequest request, string? model)
    {
        ModelLease lease = await request.AcquireAsync(model).ConfigureAwait(false);
        if (lease.CanGenerate)
        {
            return lease;
        }

        string architecture = lease.Model.Info.Architecture;
        lease.Dispose();
        throw ApiException.Invalid(
            $"The model '{lease.Name}' ({architecture}) only creates embeddings. Use /v1/embeddings, or another model.", "model", "unsupported_model");
    }

    /// <summary>Creates the stream of an answer that continues beyond the context if the options say so and the model supports it.</summary>
    protected TStream Shifting(Func<ContextFullAction, TStream> make)
    {
        if (request.Options.ContextShift)
        {
            try
            {
                return make(ContextFullAction.Shift);
            }
            catch (NotSupportedException)
            {
                // The KV cache of the model cannot be shifted, so its answers are cut off.
            }
        }

        return make(ContextFullAction.Stop);
    }

    /// <summary>Starts answers. If one cannot be started, or its prompt is too long, all are ended.</summary>
    /// <param name="count">The number of answers.</param>
    /// <param name="make">The function that creates the stream of an answer.</param>
    /// <exception cref="ApiException">The request is not valid for the model.</exception>
    protected async Task StartAsync(int count, Func<GenerationSession, int, TStream> make)
    {
        try
        {
            for (int index = 0; index < count; index++)
            {
                TStream stream = ClientInput.Check(() => make(lease.Session, index));
                _streams.Add(stream);

                // Starting validates the input, so that errors are found before anything is sent.
                await ClientInput.CheckAsync(() => request.Stream?.WaitAsync(StartAsync(stream)) ?? StartAsync(stream)).ConfigureAwait(false);
                request.CheckPrompt(PromptTokensOf(stream));
                if (PromptOf(index) is { } prompt)
                {
                    request.LogText("Prompt", prompt);
                }
            }
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts an answer, and completes once its input is prepared.</summary>
    protected abstract Task StartAsync(TStream stream);

    protected abstract int PromptTokensOf(TStream stream);

    /// <summary>Gets the prompt of an answer, or <see langword="null"/> if it is the same as that of the answer before.</summary>
    protected abstract string? PromptOf(int index);

    protected abstract GenerationStatistics? StatisticsOf(TStream stream);
}

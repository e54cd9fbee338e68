using Microsoft.Extensions.Logging;
using MoeOffload.Chat;
using MoeOffload.Diagnostics;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Preparation;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Speculation;
using MoeOffload.Inference.State;
using MoeOffload.Inference;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// A context of a model: its KV cache, its threads, and the generations that run in it. Safe to use from several threads; as many
/// generations run at once as <see cref="ContextOptions.SequenceCount"/> says, and more wait for their turn.
/// </summary>
public sealed class GenerationSession : IDisposable, IAsyncDisposable
{
    private readonly MoeModel _model;
    private readonly Scheduler _scheduler;
    private readonly WantedAdapters _adapters;
    private readonly ExpertCounter? _counter;
    private readonly Lock _lifetime = new();
    private readonly ContextParameters _parameters;
    private readonly int _vocabularySize;
    private readonly GenerationFactory _generations;
    private readonly PreparationQueue _preparations = new();
    private bool _isDisposed;

    private GenerationSession(
        MoeModel model,
        Scheduler scheduler,
        WantedAdapters adapters,
        NativeContext context,
        IReadOnlyList<MemoryUse> memory,
        ContextParameters parameters,
        ExpertCounter? counter,
        ILogger logger)
    {
        _model = model;
        _scheduler = scheduler;
        _adapters = adapters;
        _counter = counter;
        ContextLength = context.ContextLength;
        SequenceLength = context.SequenceLength;
        SequenceCount = parameters.SequenceCount;
        BatchSize = context.BatchSize;
        MicroBatchSize = context.MicroBatchSize;
        Threads = parameters.Threads;
        PromptThreads = parameters.PromptThreads;
        _parameters = parameters;
        _vocabularySize = context.VocabularySize;
        _generations = new GenerationFactory(scheduler, model, SequenceLength, context.CanShift, logger);
        Memory = new MemoryBreakdown(memory, context.ContextLength);
    }

    /// <summary>Lets the thread end of a session that nobody disposed.</summary>
    ~GenerationSession() => _scheduler?.Stop();

    /// <summary>Cells of the KV cache, over all sequences.</summary>
    public int ContextLength { get; }

    /// <summary>Tokens that one generation can hold, its prompt included.</summary>
    public int SequenceLength { get; }

    /// <summary>Generations that can run at once.</summary>
    public int SequenceCount { get; }

    /// <summary>Most tokens of one step.</summary>
    public int BatchSize { get; }

    /// <summary>Most tokens that are computed at once.</summary>
    public int MicroBatchSize { get; }

    /// <summary>CPU threads that generate.</summary>
    public int Threads { get; }

    /// <summary>CPU threads that process prompts.</summary>
    public int PromptThreads { get; }

    /// <summary>What each device holds for this session and its model, read back from llama.cpp.</summary>
    public MemoryBreakdown Memory { get; }

    /// <summary>
    /// Which experts the routers have chosen so far, a new snapshot at each call; null without <see cref="ContextOptions.CountExperts"/>.
    /// From any thread, also while the session generates: the numbers of one layer belong together, and a later layer may have yet to
    /// count the tokens that are being computed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ExpertActivity? ExpertActivity
    {
        get
        {
            if (_counter is null)
            {
                return null;
            }

            _counter.Read(out long[] counts, out long[] tokens);
            return new ExpertActivity(_counter.ExpertCount, counts, tokens);
        }
    }

    /// <summary>The LoRA adapters that count from the next step on.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters => _adapters.Current;

    /// <summary>
    /// Takes these LoRA adapters, and no others, from the next step on. Returns at once. Generations that run go on with what the former
    /// ones made of their tokens so far; one that is to know only the new ones begins afterwards. The prefix cache drops what it keeps.
    /// </summary>
    /// <param name="adapters">Adapters of the session's model, each once; none for the model as it is.</param>
    /// <exception cref="ArgumentException">One is of another model or there twice, or a scale is no finite number.</exception>
    /// <exception cref="ObjectDisposedException">The session or an adapter was disposed.</exception>
    public void SetAdapters(params IReadOnlyList<ScaledAdapter> adapters)
    {
        IReadOnlyList<ScaledAdapter> checkedAdapters = _model.CheckAdapters(adapters);
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _adapters.Set(checkedAdapters);
        }
    }

    /// <summary>What the session does, and has done so far.</summary>
    public SessionStatistics Statistics => _scheduler.ReadStatistics();

    /// <summary>Continues a prompt. Returns at once, however long the prompt is.</summary>
    /// <param name="prompt">The prompt, taken as it is: no chat template is applied.</param>
    /// <param name="sampling">How tokens are chosen; null takes the defaults.</param>
    /// <param name="maxTokens">The most tokens to generate; null goes on until the model ends or the context is full.</param>
    /// <param name="cancellationToken">Ends the generation within one step.</param>
    /// <returns>The tokens, which are generated as they are read.</returns>
    /// <inheritdoc cref="GenerateAsync(GenerationRequest, CancellationToken)"/>
    public TokenStream GenerateAsync(
        string prompt, SamplingOptions? sampling = null, int? maxTokens = null, CancellationToken cancellationToken = default) =>
        GenerateAsync(new GenerationRequest { Prompt = prompt, Sampling = sampling, MaxTokens = maxTokens }, cancellationToken);

    /// <summary>Generates what a request asks for. Returns at once, however long the request is.</summary>
    /// <param name="request">Prompt, sampling and limits. Its lists must not change before the first token is read.</param>
    /// <param name="cancellationToken">Ends the generation within one step, or its preparation.</param>
    /// <returns>The tokens, which are generated as they are read.</returns>
    /// <remarks>
    /// Numbers are checked here. The prompt, the grammar, biases, samplers and stop strings are read once the stream is, on another thread:
    /// reading throws what is wrong with them, as <see cref="TokenStream.StartAsync"/> does.
    /// </remarks>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="NotSupportedException">The request asks for a shift, and the KV cache of this model cannot be shifted.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public TokenStream GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Generate(new PlainRequest(request), cancellationToken);
    }

    /// <summary>Answers a chat. Returns at once, however long the chat is.</summary>
    /// <param name="messages">The messages, the first one first. The list must not change before the first update is read.</param>
    /// <param name="options">Tools, reasoning, sampling and limits; null takes the defaults. Its lists must not change either.</param>
    /// <param name="cancellationToken">Ends the generation within one step, or its preparation.</param>
    /// <returns>The answer, which is generated as it is read.</returns>
    /// <remarks>
    /// Numbers are checked here. Messages, tools and schemas are read once the stream is, on another thread: reading throws what is wrong with
    /// them or with the template, as <see cref="ChatStream.StartAsync"/> does.
    /// </remarks>
    /// <exception cref="ArgumentException">There is no message, or an option is out of its range or contradicts another one.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ChatStream ChatAsync(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatRequest.CheckCount(messages);
        options ??= new ChatOptions();
        options.ValidateNumbers();
        var source = new ChatSource(messages, options, () => _model.ChatTemplate);
        return new ChatStream(Generate(source, cancellationToken), source);
    }

    /// <summary>
    /// Computes tokens and shows what the model expects after each: how well it knows a text (perplexity), or how two placements of it
    /// differ. Generations of the session wait meanwhile; what the KV cache then holds is kept as of a prompt.
    /// </summary>
    /// <param name="tokens">
    /// The tokens, with those that the model's vocabulary adds to a text where they are wanted. The list must not change meanwhile.
    /// </param>
    /// <param name="reader">
    /// Gets the logits of each position, in order, on the session's own thread. What it throws ends the reading, and is thrown.
    /// </param>
    /// <param name="start">The first position that is shown; those before are only computed.</param>
    /// <param name="cancellationToken">Ends it after the step that is being computed: <see cref="ContextOptions.LogitsPerStep"/> bounds steps.</param>
    /// <exception cref="ArgumentException">There are no tokens, or one or <paramref name="start"/> is out of range.</exception>
    /// <exception cref="ContextFullException">There are more tokens than <see cref="SequenceLength"/>, or running generations take the room.</exception>
    /// <exception cref="InvalidOperationException">All sequences generate, or the session has <see cref="ContextOptions.Speculation"/>.</exception>
    /// <exception cref="InferenceException">The computation failed, or the session's context was lost.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Task ReadLogitsAsync(
        IReadOnlyList<int> tokens, LogitsReader reader, int start = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(reader);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_parameters.Speculation is not null)
        {
            throw new InvalidOperationException("Logits are not read in a session that guesses tokens: leave ContextOptions.Speculation null.");
        }

        int count = tokens.Count;
        ArgumentOutOfRangeException.ThrowIfZero(count, nameof(tokens));
        OptionRange.Check(start, 0, count - 1, nameof(start), "it is the first position that is shown");
        if (count > SequenceLength)
        {
            throw new ContextFullException($"There are {count} tokens, the context has room for {SequenceLength} per sequence: give fewer at a time.");
        }

        return ReadAsync(tokens, count, reader, start, cancellationToken);
    }

    /// <summary>
    /// Saves what the prefix cache keeps, so that a later session need not compute it again: prompts and answers of generations that have
    /// ended, and of those that run as far as they are. Streams go on meanwhile; the copy is in system memory until it is written.
    /// </summary>
    /// <param name="destination">Gets the state. It holds the tokens, and is as confidential as they are.</param>
    /// <param name="prompt">Saves only the sequence that has the most of these tokens; null saves all.</param>
    /// <param name="cancellationToken">Ends the saving.</param>
    /// <returns>How many tokens were saved.</returns>
    /// <exception cref="InvalidOperationException">The prefix cache is turned off, or the session has LoRA adapters.</exception>
    /// <exception cref="IOException">Writing failed, or the model's file cannot be read any more.</exception>
    /// <exception cref="InferenceException">The session's context was lost.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Task<int> SaveStateAsync(Stream destination, IReadOnlyList<int>? prompt = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return RunAsync(states => states.SaveAsync(destination, prompt, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Saves what the prefix cache keeps to a file. An existing file is replaced once the whole state is written; if the saving fails or is
    /// cancelled, the file keeps its content.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="prompt">Saves only the sequence that has the most of these tokens; null saves all.</param>
    /// <param name="cancellationToken">Ends the saving.</param>
    /// <inheritdoc cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)"/>
    public Task<int> SaveStateAsync(string path, IReadOnlyList<int>? prompt = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(states => states.SaveAsync(path, prompt, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Loads what <see cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)"/> has saved: requests then find it in the
    /// prefix cache. The last used sequences come first where there are more than this session has places that are free.
    /// </summary>
    /// <param name="source">
    /// The state. A checksum finds damage, not malice: load only what was saved by yourself, as with a model's file.
    /// </param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <returns>How many tokens are kept now that were loaded.</returns>
    /// <exception cref="StateFormatException">
    /// The state is damaged or cut short, or of another model, context or version; the session is as before.
    /// </exception>
    /// <exception cref="InvalidOperationException">The prefix cache is turned off, or the session has LoRA adapters.</exception>
    /// <exception cref="IOException">Reading failed, or the model's file cannot be read any more.</exception>
    /// <exception cref="InferenceException">The KV cache did not take it, or the session's context was lost.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Task<int> LoadStateAsync(Stream source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return RunAsync(states => states.LoadAsync(source, cancellationToken), cancellationToken);
    }

    /// <summary>Loads a state from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <inheritdoc cref="LoadStateAsync(Stream, CancellationToken)"/>
    public Task<int> LoadStateAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(states => states.LoadAsync(path, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Ends all generations of the session and gives its memory back. In a callback on the session's own thread, such as a
    /// <see cref="LogitsReader"/> or a logger, it does not wait: the memory is given back once the callback has returned.
    /// </summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
        _scheduler.WhenDisposed().Wait();
        _counter?.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Close();
        GC.SuppressFinalize(this);
        await _scheduler.WhenDisposed().ConfigureAwait(false);
        _counter?.Dispose();
    }

    /// <summary>Gets a task that completes when the thread has ended and its native memory is given back.</summary>
    internal Task Ended => _scheduler.Ended;

    /// <summary>Makes a context and its thread.</summary>
    internal static GenerationSession Create(MoeModel model, ContextParameters parameters)
    {
        ILogger logger = model.NativeLogger;
        ContextSettings settings = parameters.ToSettings();
        ModelHandle handle = model.Native.Handle;
        ExpertCounter? counter = parameters.CountExperts ? new ExpertCounter(model.Info.LayerCount, model.Info.ExpertCount) : null;
        var adapters = new WantedAdapters(model.CheckAdapters(parameters.Adapters));
        NativeContext context = adapters.MakeContext(handle, settings, logger, counter);
        IDrafter? drafter = null;
        List<MemoryUse> memory;
        Scheduler scheduler;
        try
        {
            if (!context.HasMemory)
            {
                throw new NotSupportedException($"'{model.Path}' ({model.Info.Architecture}) cannot continue a text: use MoeModel.CreateEmbedder.");
            }

            drafter = MakeDrafter(model, parameters, context, logger);
            memory = [.. context.ReadUses(), .. drafter?.ReadMemory() ?? []];
            scheduler = new Scheduler(
                () => NativeContext.Create(handle, settings, logger, adapters.Slot, counter),
                context,
                parameters,
                parameters.Speculation?.ToLimits(),
                drafter,
                handle,
                logger);
        }
        catch
        {
            drafter?.Close();
            context.Dispose();
            adapters.Release();
            throw;
        }

        adapters.ReleaseAfter(scheduler.Ended);
        try
        {
            return new GenerationSession(model, scheduler, adapters, context, memory, parameters, counter, logger);
        }
        catch
        {
            scheduler.Stop();
            throw;
        }
    }

    private static IDrafter? MakeDrafter(MoeModel model, ContextParameters parameters, NativeContext context, ILogger logger)
    {
        if (parameters.Speculation is not { } speculation)
        {
            return null;
        }

        if (context.RollbackLength < speculation.MaxDraftTokens)
        {
            throw new NotSupportedException(
                $"The state of {model.Info.Architecture} cannot be taken back from a guess that was wrong: leave ContextOptions.Speculation null.");
        }

        // llama.cpp keeps the states of the tokens at the end of a micro-batch only.
        if (!context.CanForgetParts && context.MicroBatchSize <= speculation.MaxDraftTokens + 1)
        {
            throw new ArgumentException(
                $"For {model.Info.Architecture}, guesses and the token before them must fit into a micro-batch of {context.MicroBatchSize}: set "
                + "MicroBatchSize higher, or MaxDraftTokens lower.",
                nameof(ContextOptions.MicroBatchSize));
        }

        return speculation switch
        {
            { UseMtpLayers: true } => MtpLayers.Create(model, parameters, context, logger),
            { DraftModel: { } draft } => DraftModel.Create(model, draft, parameters.Options, context, logger),
            _ => null,
        };
    }

    private TokenStream Generate(IRequestSource source, CancellationToken cancellationToken)
    {
        source.Limits.ValidateNumbers();
        _generations.CheckShift(source.Limits);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        var channel = new TokenChannel(source.Limits.Deadline, cancellationToken);
        channel.Connect(new RequestPreparation(_scheduler, _preparations, _generations, source, channel));
        return new TokenStream(this, channel);
    }

    // Hashing, and the reading or writing of a stream that completes at once, take time that grows with the state.
    private async Task<int> RunAsync(Func<SessionStates, Task<int>> work, CancellationToken cancellationToken)
    {
        SessionStates states = States();
        int count = await Task.Run(() => work(states), cancellationToken).ConfigureAwait(false);
        GC.KeepAlive(this);
        return count;
    }

    private async Task ReadAsync(IReadOnlyList<int> tokens, int count, LogitsReader reader, int start, CancellationToken cancellationToken)
    {
        int[] copy = await Task.Run(() => GenerationFactory.CheckTokens([.. tokens], _vocabularySize), cancellationToken).ConfigureAwait(false);
        if (copy.Length != count)
        {
            throw new InvalidOperationException("The list of tokens was changed while it was read: change it once the task has completed.");
        }

        var reading = new LogitsReading(copy, start, _parameters.OutputCount, reader, () => ThrowIfEnded(cancellationToken));
        await _scheduler.RunAsync(reading.Run).ConfigureAwait(false);
    }

    private SessionStates States()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Adapters.Count > 0)
        {
            throw new InvalidOperationException(
                "The session has LoRA adapters: what they compute cannot be told from what the model computes alone. Take them off first, with SetAdapters().");
        }

        return new SessionStates(
            _scheduler, _model, _parameters, new StateLimits(SequenceLength, _vocabularySize, Memory.Total.ContextBytes));
    }

    private void ThrowIfEnded(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
    }

    private void Close()
    {
        lock (_lifetime)
        {
            _isDisposed = true;
        }

        _scheduler.Stop();
    }
}

using Microsoft.Extensions.Logging;
using MoeOffload.Chat;
using MoeOffload.Diagnostics;
using MoeOffload.Inference;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Preparation;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Speculation;
using MoeOffload.Inference.State;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Telemetry;

namespace MoeOffload;

/// <summary>
/// Represents a context of a model, with its KV cache, its threads, and the generations that run in it. It can be used from several
/// threads at the same time.
/// </summary>
/// <remarks>
/// <see cref="ContextOptions.SequenceCount"/> sets how many generations can run at the same time. Further generations wait in a queue.
/// </remarks>
public sealed class GenerationSession : IDisposable, IAsyncDisposable, IMeasuredContext
{
    private readonly MoeModel _model;
    private readonly Scheduler _scheduler;
    private readonly SessionAdapters _adapters;
    private readonly ExpertCounter? _counter;
    private readonly ExpertTracing? _tracing;
    private readonly Lock _lifetime = new();
    private readonly ContextParameters _parameters;
    private readonly int _vocabularySize;
    private readonly GenerationFactory _generations;
    private readonly PreparationQueue _preparations = new();
    private readonly OperationTelemetry _chats;
    private readonly OperationTelemetry _completions;
    private bool _isDisposed;

    private GenerationSession(
        MoeModel model,
        Scheduler scheduler,
        SessionAdapters adapters,
        NativeContext context,
        IReadOnlyList<MemoryUse> memory,
        ContextParameters parameters,
        ExpertCounter? counter,
        ExpertTracing? tracing,
        ILogger logger)
    {
        _model = model;
        _scheduler = scheduler;
        _adapters = adapters;
        _counter = counter;
        _tracing = tracing;
        ContextLength = context.ContextLength;
        SequenceLength = context.SequenceLength;
        SequenceCount = parameters.SequenceCount;
        BatchSize = context.BatchSize;
        MicroBatchSize = context.MicroBatchSize;
        Threads = parameters.Threads;
        PromptThreads = parameters.PromptThreads;
        _parameters = parameters;
        _vocabularySize = context.VocabularySize;
        _generations = new GenerationFactory(
            scheduler, model, SequenceLength, MicroBatchSize, ContextLength > SequenceLength, context.CanShift, logger);
        Memory = new MemoryBreakdown(memory, context.ContextLength);
        _chats = new OperationTelemetry(OperationTelemetry.Chat, model.Id);
        _completions = new OperationTelemetry(OperationTelemetry.TextCompletion, model.Id);
        LiveState.Contexts.Add(this);
    }

    /// <summary>Stops the thread of a session that was not disposed.</summary>
    ~GenerationSession() => _scheduler?.Stop();

    /// <summary>Gets the length of the context in tokens, which all sequences share.</summary>
    public int ContextLength { get; }

    /// <summary>Gets the maximum number of tokens of one generation, including its prompt.</summary>
    public int SequenceLength { get; }

    /// <summary>Gets the number of generations that can run at the same time.</summary>
    public int SequenceCount { get; }

    /// <summary>Gets the maximum number of tokens in one step.</summary>
    public int BatchSize { get; }

    /// <summary>Gets the maximum number of tokens that are computed together.</summary>
    public int MicroBatchSize { get; }

    /// <summary>
    /// Gets the maximum number of CPU threads that generate tokens. <see cref="SessionStatistics.ThreadCount"/> returns how many do now.
    /// </summary>
    public int Threads { get; }

    /// <summary>Gets the maximum number of CPU threads that process prompts.</summary>
    public int PromptThreads { get; }

    /// <summary>Gets the memory that each device holds for this session, its model and its draft model, as llama.cpp reports it.</summary>
    public MemoryBreakdown Memory { get; }

    /// <summary>
    /// Gets a snapshot of how often the routers have selected each expert so far, or <see langword="null"/> if
    /// <see cref="ContextOptions.CountExperts"/> is <see langword="false"/>.
    /// </summary>
    /// <remarks>
    /// The property can be read while the session generates. The counts of one layer are consistent with each other, but earlier layers may
    /// already have counted tokens that later layers have not.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public ExpertActivity? ExpertActivity
    {
        get
        {
            if (_counter is null || !_parameters.CountExperts)
            {
                return null;
            }

            _counter.Read(out long[] counts, out long[] tokens);
            return new ExpertActivity(_counter.ExpertCount, counts, tokens);
        }
    }

    /// <summary>Gets the model of the session.</summary>
    public MoeModel Model => _model;

    /// <inheritdoc/>
    string IMeasuredContext.ModelId => _model.Id;

    /// <summary>Gets the LoRA adapters that are active from the next step on.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters => _adapters.Current;

    /// <summary>Replaces the active LoRA adapters from the next step on. Returns immediately.</summary>
    /// <param name="adapters">Adapters of the session's model, each at most once. An empty list uses the model without adapters.</param>
    /// <remarks>
    /// Running generations continue, but the KV cache of their earlier tokens was computed with the previous adapters. To use only the new
    /// adapters, start a generation after this call. The prefix cache is cleared.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// An adapter belongs to another model or is in the list twice, or a scale is not a finite number.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session or an adapter has been disposed.</exception>
    public void SetAdapters(params IReadOnlyList<ScaledAdapter> adapters)
    {
        IReadOnlyList<ScaledAdapter> checkedAdapters = _model.CheckAdapters(adapters);
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _adapters.Set(checkedAdapters);
        }
    }

    /// <summary>
    /// Gets the reason why the session can no longer be used, such as a lost device, or <see langword="null"/> if it can. Requests throw this
    /// exception; dispose the session and create another one.
    /// </summary>
    public InferenceException? Failure => _scheduler.Failure;

    /// <summary>Gets the current statistics of the session.</summary>
    public SessionStatistics Statistics => _scheduler.ReadStatistics();

    /// <summary>Generates text that continues a prompt. Returns immediately, even if the prompt is long.</summary>
    /// <param name="prompt">The prompt. No chat template is applied to it.</param>
    /// <param name="sampling">The sampling options, or <see langword="null"/> for the default options.</param>
    /// <param name="maxTokens">
    /// The maximum number of tokens to generate, or <see langword="null"/> to generate until the model ends its output or the context is
    /// full.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the generation within one step.</param>
    /// <returns>A stream of tokens. The generation starts when the stream is first read.</returns>
    /// <inheritdoc cref="GenerateAsync(GenerationRequest, CancellationToken)" path="/remarks"/>
    /// <inheritdoc cref="GenerateAsync(GenerationRequest, CancellationToken)" path="/exception"/>
    public TokenStream GenerateAsync(
        string prompt, SamplingOptions? sampling = null, int? maxTokens = null, CancellationToken cancellationToken = default) =>
        GenerateAsync(new GenerationRequest { Prompt = prompt, Sampling = sampling, MaxTokens = maxTokens }, cancellationToken);

    /// <summary>Generates text for a request. Returns immediately, even if the request is large.</summary>
    /// <param name="request">The request. Do not change its lists before the first token has been read.</param>
    /// <param name="cancellationToken">A token that cancels the preparation of the request, or the generation within one step.</param>
    /// <returns>A stream of tokens. The generation starts when the stream is first read.</returns>
    /// <remarks>
    /// This method validates only numbers. The prompt, the grammar, biases, samplers and stop strings are processed on another thread when
    /// the stream is first read. If one of them is not valid, the first read or <see cref="TokenStream.StartAsync"/> throws the exception.
    /// </remarks>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="NotSupportedException">
    /// The request sets <see cref="ContextFullAction.Shift"/>, but the KV cache of this model cannot be shifted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public TokenStream GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Generate(new PlainRequest(request), _completions, cancellationToken);
    }

    /// <summary>Generates the answer to a chat. Returns immediately, even if the chat is long.</summary>
    /// <param name="messages">The messages, in chronological order. Do not change the list before the first update has been read.</param>
    /// <param name="options">
    /// The options, or <see langword="null"/> for the default options. Do not change their lists before the first update has been read.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the preparation of the request, or the generation within one step.</param>
    /// <returns>A stream of the answer. The generation starts when the stream is first read.</returns>
    /// <remarks>
    /// This method validates only numbers. Messages, tools and schemas are processed on another thread when the stream is first read. If one
    /// of them is not valid, or the chat template fails, the first read or <see cref="ChatStream.StartAsync"/> throws the exception.
    /// </remarks>
    /// <exception cref="ArgumentException">The list is empty, or an option is out of range or contradicts another option.</exception>
    /// <exception cref="NotSupportedException">
    /// The options set <see cref="ContextFullAction.Shift"/>, but the KV cache of this model cannot be shifted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public ChatStream ChatAsync(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatRequest.CheckCount(messages);
        options ??= new ChatOptions();
        options.ValidateNumbers();
        var room = new PromptRoom(SequenceLength, _model.Native.Vocabulary, _generations.TokenizeImages);
        var source = new ChatSource(messages, options, () => _model.ChatTemplate, room, _model.Logger);
        return new ChatStream(Generate(source, _chats, cancellationToken), source);
    }

    /// <summary>
    /// Computes a text and passes the logits after each of its tokens to a callback, for example to calculate the perplexity of the text or
    /// to compare two placements of a model.
    /// </summary>
    /// <param name="tokens">
    /// The tokens. No special tokens are added, such as one for the beginning of the text. Do not change the list until the task has
    /// completed.
    /// </param>
    /// <param name="reader">
    /// Receives the logits of each position, in order, on the session's own thread. If it throws, the reading ends and the task fails with
    /// that exception.
    /// </param>
    /// <param name="start">The first position that is passed to the callback. Earlier positions are only computed.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the reading after the current step. <see cref="ContextOptions.LogitsPerStep"/> limits the length of a step.
    /// </param>
    /// <returns>A task that completes when all positions have been passed to the callback.</returns>
    /// <remarks>
    /// Running generations of the session pause until the reading has ended. The prefix cache keeps the tokens, like those of a prompt.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The list is empty, a token is not in the vocabulary, or <paramref name="start"/> is out of range.
    /// </exception>
    /// <exception cref="ContextFullException">
    /// There are more tokens than <see cref="SequenceLength"/>, or running generations occupy the space.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// All sequences are in use, or the session uses <see cref="ContextOptions.Speculation"/>.
    /// </exception>
    /// <exception cref="InferenceException">The computation failed, or the session has lost its context.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public Task ReadLogitsAsync(
        IReadOnlyList<int> tokens, LogitsReader reader, int start = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(reader);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_parameters.Speculation is not null)
        {
            throw new InvalidOperationException(
                "Logits cannot be read in a session that uses speculative decoding. Leave ContextOptions.Speculation null.");
        }

        int count = tokens.Count;
        ArgumentOutOfRangeException.ThrowIfZero(count, nameof(tokens));
        OptionRange.Check(start, 0, count - 1, nameof(start), "the first position whose logits are read");
        if (count > SequenceLength)
        {
            throw new ContextFullException(
                $"There are {count} tokens, but the context has room for {SequenceLength} per sequence. Read fewer tokens at a time.");
        }

        return ReadAsync(tokens, count, reader, start, cancellationToken);
    }

    /// <summary>Saves the content of the prefix cache, so that a later session does not have to compute it again.</summary>
    /// <param name="destination">
    /// The stream to write to. The state contains the tokens, so it is as confidential as the prompts and answers.
    /// </param>
    /// <param name="prompt">
    /// The tokens of a prompt, to save only the sequence that shares the longest beginning with it, or <see langword="null"/> to save all
    /// sequences.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <returns>The number of tokens that were saved.</returns>
    /// <remarks>
    /// The state includes the prompts and answers of completed generations, and of running ones up to their current token. Running
    /// generations continue in the meantime. The copy of the state stays in system memory until it has been written.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The prefix cache is turned off, or the session has LoRA adapters.</exception>
    /// <exception cref="IOException">Writing failed, or the model's file can no longer be read.</exception>
    /// <exception cref="InferenceException">The session has lost its context.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public Task<int> SaveStateAsync(Stream destination, IReadOnlyList<int>? prompt = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return RunAsync(states => states.SaveAsync(destination, prompt, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Saves the content of the prefix cache to a file. An existing file is replaced only after the whole state has been written. If the
    /// operation fails or is canceled, the existing file is not changed.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="prompt">
    /// The tokens of a prompt, to save only the sequence that shares the longest beginning with it, or <see langword="null"/> to save all
    /// sequences.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <inheritdoc cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)" path="/returns"/>
    /// <inheritdoc cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)" path="/remarks"/>
    /// <inheritdoc cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)" path="/exception"/>
    public Task<int> SaveStateAsync(string path, IReadOnlyList<int>? prompt = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(states => states.SaveAsync(path, prompt, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Loads a state that <see cref="SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)"/> has saved into the prefix cache, where
    /// new requests can reuse it.
    /// </summary>
    /// <param name="source">
    /// The stream to read from. A checksum detects damage, but not manipulation: as with models, load only files from a source that you
    /// trust.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <returns>The number of loaded tokens that the prefix cache now holds.</returns>
    /// <remarks>
    /// If the state contains more sequences than the session has free slots, those that were used most recently are loaded.
    /// </remarks>
    /// <exception cref="StateFormatException">
    /// The state is damaged or incomplete, or was saved with another model, context or version. The session is not changed.
    /// </exception>
    /// <exception cref="InvalidOperationException">The prefix cache is turned off, or the session has LoRA adapters.</exception>
    /// <exception cref="IOException">Reading failed, or the model's file can no longer be read.</exception>
    /// <exception cref="InferenceException">The KV cache rejected the state, or the session has lost its context.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public Task<int> LoadStateAsync(Stream source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return RunAsync(states => states.LoadAsync(source, cancellationToken), cancellationToken);
    }

    /// <summary>Loads a state from a file into the prefix cache, where new requests can reuse it.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <inheritdoc cref="LoadStateAsync(Stream, CancellationToken)" path="/returns"/>
    /// <inheritdoc cref="LoadStateAsync(Stream, CancellationToken)" path="/remarks"/>
    /// <inheritdoc cref="LoadStateAsync(Stream, CancellationToken)" path="/exception"/>
    public Task<int> LoadStateAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(states => states.LoadAsync(path, cancellationToken), cancellationToken);
    }

    /// <summary>Ends the recording of <see cref="ContextOptions.TraceExperts"/>, and gives the file its name. What is computed later is not recorded.</summary>
    /// <param name="cancellationToken">A token that cancels waiting for the file, which is written nevertheless.</param>
    /// <returns>What the trace contains. Later calls return the same.</returns>
    /// <remarks>
    /// Writing happens while the session computes, and never fails a generation. If the file cannot be written, the recording ends, the generations continue,
    /// and a warning is logged. <see cref="Dispose"/> also completes the trace, but reports a failure only to the log.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The session does not record.</exception>
    /// <exception cref="IOException">The disk is full or failed, or the file cannot be replaced. Nothing is left of the trace, and an existing file is unchanged.</exception>
    public async Task<ExpertTraceSummary> CompleteTraceAsync(CancellationToken cancellationToken = default)
    {
        if (_tracing is null)
        {
            throw new InvalidOperationException("The session does not record experts. Set ContextOptions.TraceExperts to the path of a file.");
        }

        // A step that is being recorded can wait for the disk.
        await Task.Run(_tracing.Complete, cancellationToken).ConfigureAwait(false);
        return await _tracing.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends all generations of the session and frees its memory.</summary>
    /// <remarks>
    /// If the session records experts, it waits until the trace has been written.
    /// If it is called in a callback on the session's own thread, such as a <see cref="LogitsReader"/> or a logger, it does not wait: the
    /// memory is freed after the callback has returned.
    /// </remarks>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
        _scheduler.WhenDisposed().Wait();
        _counter?.Dispose();
        TraceWritten().Wait();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Close();
        GC.SuppressFinalize(this);
        await _scheduler.WhenDisposed().ConfigureAwait(false);
        _counter?.Dispose();
        await TraceWritten().ConfigureAwait(false);
    }

    /// <summary>Gets a task that completes when the thread has ended and its native memory has been freed.</summary>
    internal Task Ended => _scheduler.Ended;

    /// <summary>Creates a context and its thread.</summary>
    internal static GenerationSession Create(MoeModel model, ContextParameters parameters)
    {
        ILogger logger = model.NativeLogger;
        ContextSettings settings = parameters.ToSettings();
        ModelHandle handle = model.Native.Handle;
        var adapters = new SessionAdapters(model.CheckAdapters(parameters.Adapters));
        ExpertTracing? tracing = null;
        ExpertCounter? counter = null;
        NativeContext context;
        try
        {
            tracing = parameters.TraceExperts is { } path ? ExpertTracing.Start(path, model, model.Logger) : null;
            counter = parameters.CountExperts || tracing is not null ? new ExpertCounter(model.Info.LayerCount, model.Info.ExpertCount, tracing) : null;
            context = adapters.MakeContext(handle, settings, logger, counter);
        }
        catch
        {
            tracing?.Discard();
            adapters.Release();
            throw;
        }

        IDrafter? drafter = null;
        List<MemoryUse> memory;
        Scheduler scheduler;
        try
        {
            if (!context.HasMemory)
            {
                throw new NotSupportedException(
                    $"'{model.Path}' ({model.Info.Architecture}) cannot generate text. Use MoeModel.CreateEmbedder.");
            }

            drafter = MakeDrafter(model, parameters, context, logger);
            memory = [.. context.ReadUses(), .. drafter?.ReadMemory() ?? [], .. model.Projector?.Memory ?? []];
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
            tracing?.Discard();
            throw;
        }

        adapters.ReleaseAfter(scheduler.Ended);
        tracing?.CompleteAfter(scheduler.Ended);
        try
        {
            return new GenerationSession(model, scheduler, adapters, context, memory, parameters, counter, tracing, logger);
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
                $"The recurrent state of {model.Info.Architecture} cannot be reset after a wrong draft token. Leave ContextOptions.Speculation null.");
        }

        // llama.cpp keeps the states of only the last tokens of a micro-batch.
        if (!context.CanForgetParts && context.MicroBatchSize <= speculation.MaxDraftTokens + 1)
        {
            throw new ArgumentException(
                $"For {model.Info.Architecture}, the draft tokens and the token before them must fit into a micro-batch of "
                + $"{context.MicroBatchSize}. Increase MicroBatchSize or decrease MaxDraftTokens.",
                nameof(ContextOptions.MicroBatchSize));
        }

        return speculation switch
        {
            { UseMtpLayers: true } => MtpLayers.Create(model, parameters, context, logger),
            { DraftModel: { } draft } => DraftModel.Create(model, draft, parameters.Options, context, logger),
            _ => null,
        };
    }

    private TokenStream Generate(IRequestSource source, OperationTelemetry telemetry, CancellationToken cancellationToken)
    {
        source.Limits.ValidateNumbers();
        _generations.CheckShift(source.Limits);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        var channel = new TokenChannel(source.Limits.Deadline, cancellationToken, telemetry);
        channel.Connect(new RequestPreparation(_scheduler, _preparations, _generations, source, channel));
        return new TokenStream(this, channel);
    }

    // Hashing, and a stream that completes synchronously, would block the caller for a time that grows with the state.
    private async Task<int> RunAsync(Func<SessionStates, Task<int>> work, CancellationToken cancellationToken)
    {
        SessionStates states = States();
        int count = await Task.Run(() => work(states), cancellationToken).ConfigureAwait(false);
        GC.KeepAlive(this);
        return count;
    }

    private async Task ReadAsync(IReadOnlyList<int> tokens, int count, LogitsReader reader, int start, CancellationToken cancellationToken)
    {
        int[] copy = await Task.Run(() => TokenCheck.Copy(tokens, _vocabularySize, nameof(tokens)), cancellationToken).ConfigureAwait(false);
        if (copy.Length != count)
        {
            throw new InvalidOperationException(
                "The list of tokens was changed while it was being read. Change it only after the task has completed.");
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
                "The session has LoRA adapters, and states are saved and loaded only without them. Call SetAdapters() without adapters first.");
        }

        return new SessionStates(
            _scheduler, _model, _parameters, new StateLimits(SequenceLength, _vocabularySize, Memory.Total.ContextBytes));
    }

    private void ThrowIfEnded(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
    }

    // On the session's own thread, the recording ends only after the caller has returned. A failure was logged.
    private Task TraceWritten() => _tracing is null || !_scheduler.Ended.IsCompleted
        ? Task.CompletedTask
        : _tracing.Done.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Close()
    {
        lock (_lifetime)
        {
            _isDisposed = true;
        }

        LiveState.Contexts.Remove(this);
        _scheduler.Stop();
    }
}

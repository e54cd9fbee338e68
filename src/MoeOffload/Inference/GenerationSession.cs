using System.Text;
using Microsoft.Extensions.Logging;
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
    private readonly ILogger _logger;
    private readonly Lock _lifetime = new();
    private readonly bool _canShift;
    private bool _isDisposed;

    private GenerationSession(MoeModel model, Scheduler scheduler, NativeContext context, ContextParameters parameters, ILogger logger)
    {
        _model = model;
        _scheduler = scheduler;
        _logger = logger;
        ContextLength = context.ContextLength;
        SequenceLength = context.SequenceLength;
        SequenceCount = parameters.SequenceCount;
        BatchSize = context.BatchSize;
        MicroBatchSize = context.MicroBatchSize;
        Threads = parameters.Threads;
        PromptThreads = parameters.PromptThreads;
        _canShift = context.CanShift;
        Memory = new MemoryBreakdown(context.ReadMemory());
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

    /// <summary>What the session does, and has done so far.</summary>
    public SessionStatistics Statistics => _scheduler.ReadStatistics();

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">The prompt, taken as it is: no chat template is applied.</param>
    /// <param name="sampling">How tokens are chosen; null takes the defaults.</param>
    /// <param name="maxTokens">The most tokens to generate; null goes on until the model ends or the context is full.</param>
    /// <param name="cancellationToken">Ends the generation within one step.</param>
    /// <returns>The tokens, which are generated as they are read.</returns>
    /// <inheritdoc cref="GenerateAsync(GenerationRequest, CancellationToken)" path="/exception"/>
    public TokenStream GenerateAsync(
        string prompt, SamplingOptions? sampling = null, int? maxTokens = null, CancellationToken cancellationToken = default) =>
        GenerateAsync(new GenerationRequest { Prompt = prompt, Sampling = sampling, MaxTokens = maxTokens }, cancellationToken);

    /// <summary>Generates what a request asks for.</summary>
    /// <param name="request">Prompt, sampling and limits.</param>
    /// <param name="cancellationToken">Ends the generation within one step.</param>
    /// <returns>The tokens, which are generated as they are read.</returns>
    /// <exception cref="ArgumentException">An option is out of its range, the grammar has an error, or the prompt has no token.</exception>
    /// <exception cref="ContextFullException">The prompt is longer than <see cref="SequenceLength"/>.</exception>
    /// <exception cref="NotSupportedException">The request asks for a shift, and the KV cache of this model cannot be shifted.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public TokenStream GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validate();
        CheckShift(request);

        // Dispose waits for this: the vocabulary lives only as long as the session keeps the model.
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            using NativeLog.Scope log = NativeLog.Enter(_logger);
            NativeVocabulary vocabulary = _model.Native.Vocabulary;
            int[] prompt = Prompt(request, vocabulary);
            NativeSampler sampler = NativeSampler.Create(vocabulary, request.Sampling ?? new SamplingOptions());
            var generation = new Generation(prompt, sampler, _model.Pieces(request.RenderSpecialTokens), vocabulary, request);
            return new TokenStream(this, new TokenChannel(_scheduler, generation, cancellationToken));
        }
    }

    /// <summary>Ends all generations of the session and gives its memory back.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
        _scheduler.Ended.Wait();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Close();
        GC.SuppressFinalize(this);
        await _scheduler.Ended.ConfigureAwait(false);
    }

    /// <summary>Makes a context and its thread.</summary>
    internal static GenerationSession Create(MoeModel model, ContextParameters parameters, ILogger logger)
    {
        ModelHandle handle = model.Native.Handle;
        NativeContext context = NativeContext.Create(handle, parameters, logger);
        var scheduler = new Scheduler(() => NativeContext.Create(handle, parameters, logger), context, parameters, handle, logger);
        try
        {
            return new GenerationSession(model, scheduler, context, parameters, logger);
        }
        catch
        {
            scheduler.Stop();
            throw;
        }
    }

    private void CheckShift(GenerationRequest request)
    {
        if (request.ContextFull != ContextFullAction.Shift)
        {
            return;
        }

        if (!_canShift)
        {
            throw new NotSupportedException(
                $"The KV cache of {_model.Info.Architecture} with these options cannot be shifted: set GenerationRequest.ContextFull to Stop or Error.");
        }

        if (request.ShiftKeep is { } keep)
        {
            OptionRange.Check(keep, 0, SequenceLength - 2, nameof(GenerationRequest.ShiftKeep), "some tokens must be left to forget");
        }
    }

    private int[] Prompt(GenerationRequest request, NativeVocabulary vocabulary)
    {
        int[] prompt = request.PromptTokens is { } tokens
            ? CheckTokens([.. tokens], vocabulary.Size)
            : vocabulary.Tokenize(Encoding.UTF8.GetBytes(request.Prompt), addSpecial: true, request.ParseSpecialTokens);
        if (prompt.Length == 0)
        {
            throw new ArgumentException("The prompt has no token: give it some text.", nameof(request));
        }

        return prompt.Length <= SequenceLength
            ? prompt
            : throw new ContextFullException(
                $"The prompt has {prompt.Length} tokens, the context has room for {SequenceLength} per sequence: shorten the prompt, or set "
                + "ContextOptions.ContextLength higher (it is divided by SequenceCount).");
    }

    private static int[] CheckTokens(int[] tokens, int vocabularySize)
    {
        int wrong = Array.FindIndex(tokens, token => token < 0 || token >= vocabularySize);
        return wrong < 0
            ? tokens
            : throw new ArgumentException(
                $"Token {tokens[wrong]} at position {wrong} of the prompt is outside the vocabulary of {vocabularySize} tokens.", nameof(GenerationRequest.PromptTokens));
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

using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Sampling;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Speculation;

/// <summary>
/// Drafts tokens with a smaller model of the same vocabulary, by greedy decoding. The model has a KV cache of its own, which is brought up
/// to date with each sequence before drafting.
/// </summary>
internal sealed class DraftModel : IDrafter
{
    private readonly NativeContext _context;
    private readonly NativeSampler _greedy;
    private readonly ILogger _logger;
    private readonly List<int>[] _held;
    private readonly List<SequenceRequest> _asking = [];
    private readonly int _catchUp;
    private readonly bool _hasOwnWeights;
    private bool _isBroken;

    private DraftModel(
        NativeContext context,
        NativeSampler greedy,
        IReadOnlyCollection<string> servers,
        int sequenceCount,
        int promptLimit,
        bool hasOwnWeights,
        ILogger logger)
    {
        _hasOwnWeights = hasOwnWeights;
        Servers = servers;
        _catchUp = Math.Min(promptLimit, context.BatchSize - sequenceCount);
        _context = context;
        _greedy = greedy;
        _logger = logger;
        _held = [.. Enumerable.Range(0, sequenceCount).Select(_ => new List<int>(context.SequenceLength))];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Servers { get; }

    /// <summary>Creates the draft model of a session.</summary>
    /// <param name="model">The model of the session.</param>
    /// <param name="draft">The smaller model.</param>
    /// <param name="options">The options of the session's context.</param>
    /// <param name="main">The session's context.</param>
    /// <param name="logger">The logger for messages of llama.cpp.</param>
    /// <exception cref="ArgumentException">The models have different vocabularies.</exception>
    /// <exception cref="NotSupportedException">The KV cache of the smaller model cannot be trimmed.</exception>
    /// <exception cref="InferenceException">The context of the smaller model could not be created.</exception>
    public static DraftModel Create(LoadedModel model, LoadedModel draft, ContextOptions options, NativeContext main, ILogger logger)
    {
        using ModelAccess.Use use = draft.Enter();
        CheckVocabularies(model.Pieces(special: true), draft.Pieces(special: true));
        ContextParameters parameters = ContextPreparation.ForGeneration(draft, options.ForDraft(main.ContextLength));
        NativeContext context = NativeContext.Create(draft.Native.Handle, parameters.ToSettings(), logger, inTurnsWith: main);
        try
        {
            return context.CanForgetParts
                ? new DraftModel(
                    context,
                    SamplerBuilder.Build(draft.Native.Vocabulary, SamplingOptions.Greedy),
                    draft.Native.Handle.Servers,
                    parameters.SequenceCount,
                    parameters.PromptTokensPerStep,
                    hasOwnWeights: draft != model,
                    logger)
                : throw new NotSupportedException(
                    $"The draft model ({draft.Info.Architecture}) cannot discard rejected draft tokens. Use a model without a recurrent state.");
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool SupportsImages => true;

    /// <inheritdoc/>
    public IReadOnlyList<MemoryUse> ReadMemory() => _hasOwnWeights ? _context.ReadUses() : [.. _context.ReadUses().WithoutWeights()];

    /// <summary>Gets the number of threads that computed the last draft.</summary>
    public int ThreadCount => _context.ThreadCount;

    /// <inheritdoc/>
    public void Begin(NativeContext context)
    {
        try
        {
            if (!_isBroken)
            {
                // The scheduler adapts the number of the session's threads only.
                _context.ShareThreads(context);
            }
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            Break(exception);
        }
    }

    /// <inheritdoc/>
    public void Draft(IReadOnlyList<SequenceRequest> requests)
    {
        _asking.Clear();
        for (int i = 0; i < requests.Count; i++)
        {
            SequenceRequest request = requests[i];
            if (request.DraftLimit > 0 && request.Sequence.Tokens.Count + request.DraftLimit < _context.SequenceLength)
            {
                _asking.Add(request);
            }
        }

        try
        {
            if (!_isBroken && _asking.Count > 0 && !TryGuess())
            {
                Forget();
            }
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            _asking.ForEach(request => request.Draft.Clear());
            Break(exception);
        }
    }

    /// <inheritdoc/>
    public void Abandon() => _context.Abandon();

    /// <inheritdoc/>
    public void Close()
    {
        _greedy.Dispose();
        _context.Dispose();
    }

    private static void CheckVocabularies(TokenPieces model, TokenPieces draft)
    {
        if (!model.IsSameAs(draft))
        {
            throw new ArgumentException(
                "The draft model and the model have different vocabularies. Use a smaller model of the same family.", nameof(SpeculationOptions.DraftModel));
        }
    }

    private void Break(Exception exception)
    {
        _isBroken = true;
        InferenceLog.DraftModelLost(_logger, exception.Message);
    }

    private bool TryGuess()
    {
        _context.ClearBatch();
        foreach (SequenceRequest request in _asking)
        {
            Feed(request);
        }

        while (_context.BatchCount > 0)
        {
            if (_context.Decode() != DecodeResult.Done)
            {
                return false;
            }

            _context.ClearBatch();
            foreach (SequenceRequest request in _asking)
            {
                TakeGuess(request);
            }
        }

        return true;
    }

    // Computes the tokens that the sequence gained since it was last drafted for. The logits of the last one predict the first draft token.
    // A long prompt takes several steps, so that it does not delay other sequences, and gets no draft tokens until then.
    private void Feed(SequenceRequest request)
    {
        SequenceSlot sequence = request.Sequence;
        List<int> held = _held[sequence.Id];
        ReadOnlySpan<int> tokens = CollectionsMarshal.AsSpan(sequence.Tokens);
        int common = tokens[..^1].CommonPrefixLength(CollectionsMarshal.AsSpan(held));
        if (common < held.Count)
        {
            _context.Remove(sequence.Id, common);
            held.RemoveRange(common, held.Count - common);
        }

        request.DraftLogits = -1;
        int end = Math.Min(tokens.Length - 1, common + _catchUp - _context.BatchCount);
        for (int i = common; i < end; i++)
        {
            Add(request, tokens[i], wantsLogits: false);
        }

        if (held.Count == tokens.Length - 1)
        {
            Add(request, tokens[^1], wantsLogits: true);
        }
    }

    private void TakeGuess(SequenceRequest request)
    {
        if (request.DraftLogits < 0)
        {
            return;
        }

        int guess = _context.Sample(request.DraftLogits, _greedy);
        request.DraftLogits = -1;
        request.Draft.Add(guess);
        if (request.Draft.Count < request.DraftLimit)
        {
            Add(request, guess, wantsLogits: true);
        }
    }

    private void Add(SequenceRequest request, int token, bool wantsLogits)
    {
        SequenceSlot sequence = request.Sequence;
        List<int> held = _held[sequence.Id];
        request.DraftLogits = wantsLogits ? _context.BatchCount : -1;
        _context.Add(token, held.Count, sequence.Id, wantsLogits);
        held.Add(token);
    }

    private void Forget()
    {
        _asking.ForEach(request => request.Draft.Clear());
        for (int id = 0; id < _held.Length; id++)
        {
            _context.Remove(id, 0);
            _held[id].Clear();
        }
    }
}

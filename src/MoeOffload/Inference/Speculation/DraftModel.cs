using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Inference.Speculation;

/// <summary>
/// Guesses tokens with a smaller model of the same vocabulary: what it would say greedily. It keeps a KV cache of its own, brought up to
/// each sequence as it is asked.
/// </summary>
internal sealed class DraftModel : IDrafter
{
    private readonly NativeContext _context;
    private readonly NativeSampler _greedy;
    private readonly ILogger _logger;
    private readonly List<int>[] _held;
    private readonly List<Generation> _asking = [];
    private readonly int _catchUp;
    private bool _isBroken;

    private DraftModel(
        NativeContext context, NativeSampler greedy, IReadOnlyCollection<string> servers, int sequenceCount, int promptLimit, ILogger logger)
    {
        Servers = servers;
        _catchUp = Math.Min(promptLimit, context.BatchSize - sequenceCount);
        _context = context;
        _greedy = greedy;
        _logger = logger;
        _held = [.. Enumerable.Range(0, sequenceCount).Select(_ => new List<int>(context.SequenceLength))];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Servers { get; }

    /// <summary>Makes the draft model of a session.</summary>
    /// <param name="model">The session's model.</param>
    /// <param name="draft">The smaller one.</param>
    /// <param name="options">The session's context.</param>
    /// <param name="main">It.</param>
    /// <param name="logger">Where llama.cpp's lines go.</param>
    /// <exception cref="ArgumentException">The models have different vocabularies.</exception>
    /// <exception cref="NotSupportedException">The smaller one cannot take back what it has guessed.</exception>
    /// <exception cref="InferenceException">Its context could not be made.</exception>
    public static DraftModel Create(MoeModel model, MoeModel draft, ContextOptions options, NativeContext main, ILogger logger)
    {
        using MoeModel.Use use = draft.Enter();
        CheckVocabularies(model.Pieces(special: true), draft.Pieces(special: true));
        ContextParameters parameters = draft.Prepare(options with { ContextLength = main.ContextLength, Speculation = null });
        NativeContext context = NativeContext.Create(draft.Native.Handle, parameters, logger, inTurnsWith: main);
        try
        {
            return context.CanForgetParts
                ? new DraftModel(
                    context,
                    NativeSampler.Create(draft.Native.Vocabulary, SamplingOptions.Greedy),
                    draft.Native.Handle.Servers,
                    parameters.SequenceCount,
                    parameters.PromptTokensPerStep,
                    logger)
                : throw new NotSupportedException(
                    $"The draft model ({draft.Info.Architecture}) cannot take back what it has guessed: take one without a recurrent state.");
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<MemoryUse> ReadMemory() => [];

    /// <inheritdoc/>
    public void Begin(NativeContext context)
    {
    }

    /// <inheritdoc/>
    public void Guess(IReadOnlyList<Generation> generations)
    {
        _asking.Clear();
        for (int i = 0; i < generations.Count; i++)
        {
            Generation generation = generations[i];
            if (generation.DraftLimit > 0 && generation.Sequence.Tokens.Count + generation.DraftLimit < _context.SequenceLength)
            {
                _asking.Add(generation);
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
            _isBroken = true;
            _asking.ForEach(generation => generation.Draft.Clear());
            InferenceLog.DraftModelLost(_logger, exception.Message);
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
                "The draft model has another vocabulary than the model: take a smaller model of the same family.", nameof(SpeculationOptions.DraftModel));
        }
    }

    private bool TryGuess()
    {
        _context.ClearBatch();
        foreach (Generation generation in _asking)
        {
            Feed(generation);
        }

        while (_context.BatchCount > 0)
        {
            if (_context.Decode() != DecodeResult.Done)
            {
                return false;
            }

            _context.ClearBatch();
            foreach (Generation generation in _asking)
            {
                TakeGuess(generation);
            }
        }

        return true;
    }

    // What the sequence has got since it was last asked, the logits of the last token being the first guess. A long prompt takes several
    // steps, until which there are no guesses for it: it must not hold up the others.
    private void Feed(Generation generation)
    {
        SequenceSlot sequence = generation.Sequence;
        List<int> held = _held[sequence.Id];
        ReadOnlySpan<int> tokens = CollectionsMarshal.AsSpan(sequence.Tokens);
        int common = tokens[..^1].CommonPrefixLength(CollectionsMarshal.AsSpan(held));
        if (common < held.Count)
        {
            _context.Remove(sequence.Id, common);
            held.RemoveRange(common, held.Count - common);
        }

        generation.DraftLogits = -1;
        int end = Math.Min(tokens.Length - 1, common + _catchUp - _context.BatchCount);
        for (int i = common; i < end; i++)
        {
            Add(generation, tokens[i], wantsLogits: false);
        }

        if (held.Count == tokens.Length - 1)
        {
            Add(generation, tokens[^1], wantsLogits: true);
        }
    }

    private void TakeGuess(Generation generation)
    {
        if (generation.DraftLogits < 0)
        {
            return;
        }

        int guess = _context.Sample(generation.DraftLogits, _greedy);
        generation.DraftLogits = -1;
        generation.Draft.Add(guess);
        if (generation.Draft.Count < generation.DraftLimit)
        {
            Add(generation, guess, wantsLogits: true);
        }
    }

    private void Add(Generation generation, int token, bool wantsLogits)
    {
        SequenceSlot sequence = generation.Sequence;
        List<int> held = _held[sequence.Id];
        generation.DraftLogits = wantsLogits ? _context.BatchCount : -1;
        _context.Add(token, held.Count, sequence.Id, wantsLogits);
        held.Add(token);
    }

    private void Forget()
    {
        _asking.ForEach(generation => generation.Draft.Clear());
        for (int id = 0; id < _held.Length; id++)
        {
            _context.Remove(id, 0);
            _held[id].Clear();
        }
    }
}

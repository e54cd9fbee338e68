using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Sampling;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Speculation;

/// <summary>
/// Drafts tokens with the model's own layers for multi-token prediction (MTP). Each layer takes a token and the hidden state of the
/// previous token, from the model's last layer or from the previous draft token, and has a KV cache that follows the session's.
/// </summary>
internal sealed class MtpLayers : IDrafter, ISequenceFollower
{
    private readonly NativeContext _context;
    private readonly NativeSampler _greedy;
    private readonly ILogger _logger;

    // Several layers draft one token each, one after the other. A single layer continues from its own draft tokens.
    private readonly bool _isChain;
    private readonly int _layerCount;
    private readonly int _width;
    private readonly int[] _rows;
    private readonly RecentHidden[] _recent;
    private readonly RecentHidden[] _chains;
    private readonly HiddenRowOrder _order;
    private readonly List<SequenceRequest> _asked = [];
    private readonly List<SequenceRequest> _guessing = [];
    private readonly float[] _hidden;
    private bool _isBroken;

    private MtpLayers(
        NativeContext context, NativeSampler greedy, HiddenRowOrder order, int layerCount, int batchSize, ContextParameters parameters, ILogger logger)
    {
        int guesses = parameters.Speculation!.MaxDraftTokens;
        _context = context;
        _greedy = greedy;
        _order = order;
        _isChain = layerCount > 1;
        _layerCount = Math.Min(layerCount, guesses);
        _logger = logger;
        _width = context.HiddenWidth;
        _hidden = new float[_width];
        _rows = new int[batchSize];
        _recent = [.. Enumerable.Range(0, parameters.SequenceCount).Select(_ => new RecentHidden(guesses + 1, _width))];
        _chains = [.. Enumerable.Range(0, parameters.SequenceCount).Select(_ => new RecentHidden(guesses + 1, _width))];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Servers => [];

    /// <summary>Creates the drafter of a session.</summary>
    /// <param name="model">The model of the session.</param>
    /// <param name="parameters">The parameters of the session's context.</param>
    /// <param name="context">The session's context.</param>
    /// <param name="logger">The logger for messages of llama.cpp.</param>
    /// <exception cref="ArgumentException">The batch size is too large.</exception>
    /// <exception cref="NotSupportedException">The model has no such layers, they are not loaded, or llama.cpp cannot compute them.</exception>
    /// <exception cref="InferenceException">The context of the layers could not be created.</exception>
    public static MtpLayers Create(LoadedModel model, ContextParameters parameters, NativeContext context, ILogger logger)
    {
        int layers = CheckLayers(model);
        if ((long)context.BatchSize * context.HiddenWidth > int.MaxValue)
        {
            throw new ArgumentException(
                $"The hidden states of {context.BatchSize} tokens are too large. Decrease BatchSize.", nameof(ContextOptions.BatchSize));
        }

        NativeContext made = NativeContext.Create(model.Native.Handle, parameters.OfMtp().ToSettings(), logger, inTurnsWith: context);
        try
        {
            made.KeepHidden(all: false);
            return new MtpLayers(
                made,
                SamplerBuilder.Build(model.Native.Vocabulary, SamplingOptions.Greedy),
                HiddenRowOrder.Of(context, parameters.IsUnified),
                layers,
                context.BatchSize,
                parameters,
                logger);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool SupportsImages => false;

    /// <inheritdoc/>
    public IReadOnlyList<MemoryUse> ReadMemory() => [.. _context.ReadUses().WithoutWeights()];

    /// <inheritdoc/>
    public void Begin(NativeContext context)
    {
        Try(context, static (it, context) => it._context.ShareThreads(context));
        context.KeepHidden(all: true);
        context.Follower = this;
        for (int sequence = 0; sequence < _recent.Length; sequence++)
        {
            OnRemoved(sequence, 0);
        }
    }

    /// <inheritdoc/>
    public void Draft(IReadOnlyList<SequenceRequest> requests)
    {
        _asked.Clear();
        for (int i = 0; i < requests.Count; i++)
        {
            SequenceRequest request = requests[i];
            if (!_isBroken && request.DraftLimit > 0 && TryBegin(request))
            {
                _asked.Add(request);
            }
        }

        // llama.cpp computes sequences together only if their numbers are consecutive.
        _asked.Sort(static (one, other) => one.Sequence.Id.CompareTo(other.Sequence.Id));
        Try(0, static (it, _) => it.Guess());
        if (_isBroken)
        {
            _asked.ForEach(static request => request.Draft.Clear());
        }
    }

    /// <inheritdoc/>
    public void OnDecoded(NativeContext context)
    {
        // Waits for the computation of the session's own context outside of Try, because its failure is not a failure of these layers.
        context.HiddenRows();
        Try(context, static (it, context) => it.CatchUp(context.Batch, context.HiddenRows()));
    }

    /// <inheritdoc/>
    public void OnRemoved(int sequence, int fromPosition)
    {
        _recent[sequence].Cut(fromPosition);
        Try((sequence, fromPosition), static (it, cut) => it._context.Remove(cut.sequence, cut.fromPosition));
    }

    /// <inheritdoc/>
    public void OnCopied(int source, int target)
    {
        _recent[target].CopyFrom(_recent[source]);
        Try((source, target), static (it, copy) => it._context.Copy(copy.source, copy.target));
    }

    /// <inheritdoc/>
    public void OnDiscarded(int sequence, int from, int to)
    {
        _recent[sequence].Discard(from, to);
        Try((sequence, from, to), static (it, gap) =>
        {
            if (!it._context.Discard(gap.sequence, gap.from, gap.to))
            {
                it._context.Remove(gap.sequence, 0);
            }
        });
    }

    /// <inheritdoc/>
    public void Abandon() => _context.Abandon();

    /// <inheritdoc/>
    public void Close()
    {
        _greedy.Dispose();
        _context.Dispose();
    }

    private static int CheckLayers(LoadedModel model)
    {
        NativeMtpInfo info = model.Native.MtpInfo;
        string name = $"'{model.Path}' ({model.Info.Architecture})";
        return (info.LayerCount, info.IsComputable, info.IsLoaded) switch
        {
            (0, _, _) => throw new NotSupportedException(
                $"{name} has no layers for multi-token prediction. Set SpeculationOptions.UseMtpLayers to false, or use a DraftModel."),
            (_, false, _) => throw new NotSupportedException(
                $"{name} has layers for multi-token prediction that this version of llama.cpp cannot compute. Set SpeculationOptions.UseMtpLayers to false."),
            (_, _, false) when model.LoadsMtpLayers => throw new NotSupportedException(
                $"The layers for multi-token prediction of {name} are not in the file. Use a file that was converted with them."),
            (_, _, false) => throw new NotSupportedException(
                $"The layers for multi-token prediction of {name} are not loaded. Set ModelOptions.LoadMtpLayers to true."),
            _ => info.LayerCount,
        };
    }

    private void Try<T>(T state, Action<MtpLayers, T> action)
    {
        try
        {
            if (!_isBroken)
            {
                action(this, state);
            }
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            _isBroken = true;
            InferenceLog.MtpLayersLost(_logger, exception.Message);
        }
    }

    private bool TryBegin(SequenceRequest request)
    {
        SequenceSlot sequence = request.Sequence;
        ReadOnlySpan<float> hidden = _recent[sequence.Id].At(sequence.Count - 1);
        if (hidden.IsEmpty)
        {
            return false;
        }

        RecentHidden chain = _chains[sequence.Id];
        chain.Restart(sequence.Count);
        chain.Add(hidden);
        return true;
    }

    private void Guess()
    {
        _guessing.Clear();
        _guessing.AddRange(_asked);
        for (int step = 0; _guessing.Count > 0; step++)
        {
            Pack(step);
            if (_context.Decode() != DecodeResult.Done)
            {
                break;
            }

            for (int i = _guessing.Count - 1; i >= 0; i--)
            {
                if (!TakeGuess(_guessing[i]))
                {
                    _guessing.RemoveAt(i);
                }
            }
        }

        // Positions after the last token are computed again from the hidden states of the model itself.
        foreach (SequenceRequest request in _asked)
        {
            _context.Remove(request.Sequence.Id, request.Sequence.Count);
        }
    }

    private void Pack(int step)
    {
        _context.ClearBatch();
        if (_isChain)
        {
            _context.SelectMtpLayer(step);
        }

        foreach (SequenceRequest request in _guessing)
        {
            // Each layer has its own cache for these positions, so the entries of other layers do not matter.
            int first = _isChain ? 0 : step;
            SequenceSlot sequence = request.Sequence;
            if (_isChain && step > 0)
            {
                _context.Remove(sequence.Id, sequence.Count);
            }

            for (int i = first; i <= step; i++)
            {
                int token = i == 0 ? sequence.Tokens[^1] : request.Draft[i - 1];
                int position = sequence.Count + i;
                _context.Batch.Add(token, position, sequence.Id, wantsLogits: true, _chains[sequence.Id].At(position));
            }

            request.DraftLogits = _context.BatchCount - 1;
        }
    }

    private bool TakeGuess(SequenceRequest request)
    {
        request.Draft.Add(_context.Sample(request.DraftLogits, _greedy));
        _context.CopyHidden(request.DraftLogits, _hidden);
        _chains[request.Sequence.Id].Add(_hidden);
        request.DraftLogits = -1;
        return request.Draft.Count < request.DraftLimit && (!_isChain || request.Draft.Count < _layerCount);
    }

    private void CatchUp(NativeBatch batch, ReadOnlySpan<float> hidden)
    {
        _order.Find(batch.Sequences, batch.Outputs, _rows);
        for (int first = 0; first < batch.Count; first += _context.BatchSize)
        {
            PackKnown(batch, hidden, first, Math.Min(batch.Count, first + _context.BatchSize));
            ComputeKnown();
        }

        Remember(batch, hidden);
    }

    private void PackKnown(NativeBatch batch, ReadOnlySpan<float> hidden, int first, int end)
    {
        _context.ClearBatch();
        ReadOnlySpan<int> sequences = batch.Sequences;
        for (int i = first; i < end; i++)
        {
            int position = batch.Positions[i];
            bool isFirst = i == 0 || sequences[i - 1] != sequences[i];
            ReadOnlySpan<float> before = isFirst ? _recent[sequences[i]].At(position - 1) : Row(hidden, i - 1);
            _context.Batch.Add(batch.Tokens[i], position, sequences[i], wantsLogits: false, before);
        }
    }

    private void ComputeKnown()
    {
        for (int layer = 0; layer < _layerCount; layer++)
        {
            if (_isChain)
            {
                _context.SelectMtpLayer(layer);
            }

            if (layer > 0)
            {
                Forget(isWhole: false);
            }

            if (_context.Decode() != DecodeResult.Done)
            {
                Forget(isWhole: true);
                return;
            }
        }
    }

    // Removes the sequences of the batch from the cache, or only what the batch added to them.
    private void Forget(bool isWhole)
    {
        NativeBatch batch = _context.Batch;
        for (int i = 0; i < batch.Count; i++)
        {
            if (i == 0 || batch.Sequences[i] != batch.Sequences[i - 1])
            {
                _context.Remove(batch.Sequences[i], isWhole ? 0 : batch.Positions[i]);
            }
        }
    }

    private void Remember(NativeBatch batch, ReadOnlySpan<float> hidden)
    {
        ReadOnlySpan<int> sequences = batch.Sequences;
        for (int first = 0, end; first < sequences.Length; first = end)
        {
            end = first + sequences[first..].IndexOfAnyExcept(sequences[first]);
            end = end < first ? sequences.Length : end;
            RecentHidden recent = _recent[sequences[first]];
            int kept = Math.Max(first, end - recent.Capacity);
            recent.Restart(batch.Positions[kept]);
            for (int i = kept; i < end; i++)
            {
                recent.Add(Row(hidden, i));
            }
        }
    }

    private ReadOnlySpan<float> Row(ReadOnlySpan<float> hidden, int token) => hidden.Slice(_rows[token] * _width, _width);
}

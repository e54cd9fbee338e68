using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>The tokens of one decode, each of one sequence.</summary>
internal sealed unsafe class NativeBatch
{
    private readonly int _width;
    private readonly int* _sequences;
    private llama_batch _native;

    /// <summary>Makes room.</summary>
    /// <param name="memory">Where its memory is taken from.</param>
    /// <param name="capacity">Most tokens.</param>
    /// <param name="width">Floats of the hidden state that comes with each token; 0 where none does.</param>
    public NativeBatch(NativeMemoryScope memory, int capacity, int width)
    {
        _width = width;
        _native.token = memory.Allocate<int>(capacity);
        _native.pos = memory.Allocate<int>(capacity);
        _native.n_seq_id = memory.Allocate<int>(capacity);
        _native.logits = memory.Allocate<sbyte>(capacity);
        _native.seq_id = (int**)memory.Allocate<nint>(capacity);
        _native.embd = width > 0 ? memory.Allocate<float>(checked(capacity * width)) : null;
        _sequences = memory.Allocate<int>(capacity);
        for (int i = 0; i < capacity; i++)
        {
            _native.seq_id[i] = _sequences + i;
        }
    }

    /// <summary>Tokens in it.</summary>
    public int Count => _native.n_tokens;

    /// <summary>The tokens.</summary>
    public ReadOnlySpan<int> Tokens => new(_native.token, Count);

    /// <summary>Their positions.</summary>
    public ReadOnlySpan<int> Positions => new(_native.pos, Count);

    /// <summary>Their sequences.</summary>
    public ReadOnlySpan<int> Sequences => new(_sequences, Count);

    /// <summary>Not 0 for those of which logits are wanted.</summary>
    public ReadOnlySpan<sbyte> Outputs => new(_native.logits, Count);

    /// <summary>As llama.cpp takes it, for as long as this and its memory live.</summary>
    public llama_batch Native => _native;

    /// <summary>Adds a token.</summary>
    public void Add(int token, int position, int sequence, bool wantsLogits)
    {
        int i = _native.n_tokens++;
        _native.token[i] = token;
        _native.pos[i] = position;
        _native.n_seq_id[i] = 1;
        _sequences[i] = sequence;
        _native.logits[i] = (sbyte)(wantsLogits ? 1 : 0);
    }

    /// <summary>Adds a token with a hidden state; none stands for zeros.</summary>
    public void Add(int token, int position, int sequence, bool wantsLogits, ReadOnlySpan<float> hidden)
    {
        var row = new Span<float>(_native.embd + ((nint)Count * _width), _width);
        Add(token, position, sequence, wantsLogits);
        row[hidden.Length..].Clear();
        hidden.CopyTo(row);
    }

    /// <summary>Empties it.</summary>
    public void Clear() => _native.n_tokens = 0;
}

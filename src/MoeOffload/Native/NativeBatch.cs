using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents the tokens of a decode, each of which belongs to one sequence.</summary>
internal sealed unsafe class NativeBatch
{
    private readonly int _width;
    private readonly int* _sequences;
    private llama_batch _native;

    /// <summary>Initializes a new instance of the <see cref="NativeBatch"/> class.</summary>
    /// <param name="memory">The scope that the batch's memory is allocated in.</param>
    /// <param name="capacity">The maximum number of tokens.</param>
    /// <param name="width">The number of floats in the hidden state of each token, or 0 if tokens have no hidden states.</param>
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

    /// <summary>Gets the number of tokens.</summary>
    public int Count => _native.n_tokens;

    /// <summary>Gets the tokens.</summary>
    public ReadOnlySpan<int> Tokens => new(_native.token, Count);

    /// <summary>Gets the positions of the tokens.</summary>
    public ReadOnlySpan<int> Positions => new(_native.pos, Count);

    /// <summary>Gets the sequences of the tokens.</summary>
    public ReadOnlySpan<int> Sequences => new(_sequences, Count);

    /// <summary>Gets a value for each token, which is not 0 if its logits are computed.</summary>
    public ReadOnlySpan<sbyte> Outputs => new(_native.logits, Count);

    /// <summary>Gets llama.cpp's batch, which is valid as long as this instance and its memory.</summary>
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

    /// <summary>Adds a token with a hidden state. An empty span stands for zeros.</summary>
    public void Add(int token, int position, int sequence, bool wantsLogits, ReadOnlySpan<float> hidden)
    {
        var row = new Span<float>(_native.embd + ((nint)Count * _width), _width);
        Add(token, position, sequence, wantsLogits);
        row[hidden.Length..].Clear();
        hidden.CopyTo(row);
    }

    /// <summary>Removes all tokens.</summary>
    public void Clear() => _native.n_tokens = 0;
}

using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a model's vocabulary. Several threads can call its members at once.</summary>
internal readonly unsafe struct NativeVocabulary(ModelHandle model)
{
    /// <summary>Gets the model that the vocabulary belongs to. The vocabulary is valid as long as the model.</summary>
    public ModelHandle Model => model;

    /// <summary>Gets the vocabulary, which is valid as long as the caller holds a reference to <see cref="Model"/>.</summary>
    public llama_vocab* Pointer => LlamaApi.llama_model_get_vocab(model.Pointer);

    public int Size => Ask(&LlamaApi.llama_vocab_n_tokens);

    public int BeginningOfSequence => Ask(&LlamaApi.llama_vocab_bos);

    public int EndOfSequence => Ask(&LlamaApi.llama_vocab_eos);

    public int EndOfTurn => Ask(&LlamaApi.llama_vocab_eot);

    public int NewLine => Ask(&LlamaApi.llama_vocab_nl);

    public int Padding => Ask(&LlamaApi.llama_vocab_pad);

    public int Separator => Ask(&LlamaApi.llama_vocab_sep);

    public int FillPrefix => Ask(&LlamaApi.llama_vocab_fim_pre);

    public int FillSuffix => Ask(&LlamaApi.llama_vocab_fim_suf);

    public int FillMiddle => Ask(&LlamaApi.llama_vocab_fim_mid);

    public int FillRepository => Ask(&LlamaApi.llama_vocab_fim_rep);

    public int FillSeparator => Ask(&LlamaApi.llama_vocab_fim_sep);

    public bool AddsBeginningOfSequence => Ask(&LlamaApi.llama_vocab_get_add_bos) != 0;

    public bool AddsEndOfSequence => Ask(&LlamaApi.llama_vocab_get_add_eos) != 0;

    public bool AddsSeparator => Ask(&LlamaApi.llama_vocab_get_add_sep) != 0;

    public bool IsEndOfGeneration(int token) => Ask(token, &LlamaApi.llama_vocab_is_eog) != 0;

    /// <summary>Gets the tokens that end a text. They are determined once for each model.</summary>
    public int[] EndOfGenerationTokens => model.EndOfGenerationTokens ??= [.. Enumerable.Range(0, Size).Where(IsEndOfGeneration)];

    public bool IsControl(int token) => Ask(token, &LlamaApi.llama_vocab_is_control) != 0;

    /// <summary>Gets the tokens that must never be generated according to the model.</summary>
    public int[] ReadSuppressed()
    {
        using HandleUse use = new(model);
        int count = 0;
        int* tokens = LlamaApi.llama_vocab_get_suppress_tokens(Pointer, &count);
        return tokens == null ? [] : new ReadOnlySpan<int>(tokens, count).ToArray();
    }

    /// <summary>Converts UTF-8 text to tokens. The vocabulary determines how invalid bytes are converted.</summary>
    /// <exception cref="ArgumentException">Too many characters can be part of a single match. See <see cref="TokenizerStack"/>.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the text.</exception>
    public int[] Tokenize(ReadOnlySpan<byte> text, bool addSpecial, bool parseSpecial)
    {
        byte empty = 0;
        using HandleUse use = new(model);
        fixed (byte* bytes = text)
        {
            llama_vocab* vocabulary = Pointer;
            byte* start = bytes == null ? &empty : bytes;
            int length = text.Length;
            if (LlamaApi.llama_vocab_type(vocabulary) != llama_vocab_type.LLAMA_VOCAB_TYPE_BPE)
            {
                return TokenizeHere(vocabulary, start, length, addSpecial, parseSpecial);
            }

            int[] tokens = [];
            TokenizerStack.Run(text, () => tokens = TokenizeHere(vocabulary, start, length, addSpecial, parseSpecial));
            return tokens;
        }
    }

    /// <summary>Appends a token's bytes to a list. Control tokens have none, unless <paramref name="special"/> is <see langword="true"/>.</summary>
    public void AppendPiece(int token, bool special, List<byte> target)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte[] large = [];
        byte* small = stackalloc byte[128];
        nuint size;
        using HandleUse use = new(model);
        llama_vocab* vocabulary = Pointer;
        moe_status status = ShimApi.moe_token_to_piece(vocabulary, token, ToByte(special), small, 128, &size, error, NativeError.BufferSize);
        if (status == moe_status.MOE_STATUS_BUFFER_TOO_SMALL)
        {
            large = new byte[(int)size];
            fixed (byte* room = large)
            {
                status = ShimApi.moe_token_to_piece(vocabulary, token, ToByte(special), room, size, &size, error, NativeError.BufferSize);
            }
        }

        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new InferenceException(NativeError.Describe($"Token {token} has no text", status, error));
        }

        target.AddRange(large.Length > 0 ? large : new ReadOnlySpan<byte>(small, (int)size));
    }

    /// <summary>Converts tokens to text, as bytes that are not always valid UTF-8.</summary>
    public byte[] Detokenize(ReadOnlySpan<int> tokens, bool removeSpecial, bool renderSpecial)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte[] text = new byte[Math.Max(64, tokens.Length * 8)];
        using HandleUse use = new(model);
        llama_vocab* vocabulary = Pointer;
        while (true)
        {
            nuint size;
            moe_status status;
            fixed (int* ids = tokens)
            fixed (byte* room = text)
            {
                status = ShimApi.moe_detokenize(
                    vocabulary, ids, (nuint)tokens.Length, ToByte(removeSpecial), ToByte(renderSpecial),
                    room, (nuint)text.Length, &size, error, NativeError.BufferSize);
            }

            switch (status)
            {
                case moe_status.MOE_STATUS_OK:
                    return text[..(int)size];
                case moe_status.MOE_STATUS_BUFFER_TOO_SMALL:
                    text = new byte[(int)size];
                    break;
                case moe_status.MOE_STATUS_INVALID_ARGUMENT:
                    throw new ArgumentOutOfRangeException(nameof(tokens), NativeError.Reason(status, error));
                default:
                    throw new InferenceException(NativeError.Describe("The tokens could not be detokenized", status, error));
            }
        }
    }

    private static int[] TokenizeHere(llama_vocab* vocabulary, byte* text, int length, bool addSpecial, bool parseSpecial)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];

        // No tokenizer returns more tokens than bytes, except for the special ones at both ends and a leading space.
        int[] tokens = new int[length + 8];
        while (true)
        {
            nuint count;
            moe_status status;
            fixed (int* room = tokens)
            {
                status = ShimApi.moe_tokenize(
                    vocabulary, text, (nuint)length, ToByte(addSpecial), ToByte(parseSpecial), room, (nuint)tokens.Length, &count, error, NativeError.BufferSize);
            }

            switch (status)
            {
                case moe_status.MOE_STATUS_OK:
                    return tokens.AsSpan(0, (int)count).ToArray();
                case moe_status.MOE_STATUS_BUFFER_TOO_SMALL:
                    tokens = new int[(int)count];
                    break;
                default:
                    throw new InferenceException(NativeError.Describe("The text could not be tokenized", status, error));
            }
        }
    }

    private T Ask<T>(delegate*<llama_vocab*, T> call)
        where T : unmanaged
    {
        using HandleUse use = new(model);
        return call(Pointer);
    }

    private T Ask<T>(int token, delegate*<llama_vocab*, int, T> call)
        where T : unmanaged
    {
        using HandleUse use = new(model);
        return call(Pointer, token);
    }

    private static byte ToByte(bool value) => (byte)(value ? 1 : 0);
}

using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A model's vocabulary. All members are safe to call from several threads at once.</summary>
internal readonly unsafe struct NativeVocabulary(ModelHandle model)
{
    private readonly llama_vocab* _vocabulary = LlamaApi.llama_model_get_vocab(model.Pointer);
    private readonly ModelHandle _model = model;

    public llama_vocab* Pointer => _vocabulary;

    public int Size => LlamaApi.llama_vocab_n_tokens(_vocabulary);

    public int BeginningOfSequence => LlamaApi.llama_vocab_bos(_vocabulary);

    public int EndOfSequence => LlamaApi.llama_vocab_eos(_vocabulary);

    public int EndOfTurn => LlamaApi.llama_vocab_eot(_vocabulary);

    public int NewLine => LlamaApi.llama_vocab_nl(_vocabulary);

    public int Padding => LlamaApi.llama_vocab_pad(_vocabulary);

    public bool AddsBeginningOfSequence => LlamaApi.llama_vocab_get_add_bos(_vocabulary) != 0;

    public bool AddsEndOfSequence => LlamaApi.llama_vocab_get_add_eos(_vocabulary) != 0;

    public bool IsEndOfGeneration(int token) => LlamaApi.llama_vocab_is_eog(_vocabulary, token) != 0;

    /// <summary>Gets the tokens that end a text. They are looked for once for each model.</summary>
    public int[] EndOfGenerationTokens => _model.EndOfGenerationTokens ??= [.. Enumerable.Range(0, Size).Where(IsEndOfGeneration)];

    public bool IsControl(int token) => LlamaApi.llama_vocab_is_control(_vocabulary, token) != 0;

    /// <summary>Tokenizes UTF-8; what invalid bytes become is the vocabulary's own matter.</summary>
    /// <exception cref="ArgumentException">The text has too long a run; see <see cref="TokenizerStack"/>.</exception>
    /// <exception cref="InferenceException">llama.cpp refused the text.</exception>
    public int[] Tokenize(ReadOnlySpan<byte> text, bool addSpecial, bool parseSpecial)
    {
        byte empty = 0;
        fixed (byte* bytes = text)
        {
            llama_vocab* vocabulary = _vocabulary;
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

    /// <summary>Appends a token's bytes; nothing for a control token, unless asked for.</summary>
    public void AppendPiece(int token, bool special, List<byte> target)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte[] large = [];
        byte* small = stackalloc byte[128];
        nuint size;
        moe_status status = ShimApi.moe_token_to_piece(_vocabulary, token, ToByte(special), small, 128, &size, error, NativeError.BufferSize);
        if (status == moe_status.MOE_STATUS_BUFFER_TOO_SMALL)
        {
            large = new byte[(int)size];
            fixed (byte* room = large)
            {
                status = ShimApi.moe_token_to_piece(_vocabulary, token, ToByte(special), room, size, &size, error, NativeError.BufferSize);
            }
        }

        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new InferenceException(NativeError.Describe($"Token {token} has no text", status, error));
        }

        target.AddRange(large.Length > 0 ? large : new ReadOnlySpan<byte>(small, (int)size));
    }

    /// <summary>The inverse of <see cref="Tokenize"/>, as bytes, which may be invalid UTF-8.</summary>
    public byte[] Detokenize(ReadOnlySpan<int> tokens, bool removeSpecial, bool renderSpecial)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte[] text = new byte[Math.Max(64, tokens.Length * 8)];
        while (true)
        {
            nuint size;
            moe_status status;
            fixed (int* ids = tokens)
            fixed (byte* room = text)
            {
                status = ShimApi.moe_detokenize(
                    _vocabulary, ids, (nuint)tokens.Length, ToByte(removeSpecial), ToByte(renderSpecial),
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

        // No tokenizer makes more tokens than bytes, but for the special ones at both ends and a leading space.
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

    private static byte ToByte(bool value) => (byte)(value ? 1 : 0);
}

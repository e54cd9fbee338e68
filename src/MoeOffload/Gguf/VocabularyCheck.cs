using System.Text;

namespace MoeOffload.Gguf;

/// <summary>Checks that the vocabulary's tokens are distinct, and that the special tokens that the tokenizer adds exist.</summary>
internal static class VocabularyCheck
{
    // Four times the size of the largest vocabularies; llama.cpp creates several strings for each token.
    private const int MaxTokens = 1 << 22;
    private const int ByteTokenType = 6;
    private const string Model = "tokenizer.ggml.model";
    private const string Tokens = "tokenizer.ggml.tokens";

    /// <summary>Determines whether a file says that it has no vocabulary.</summary>
    public static bool IsNone(ModelValues values) => values.Text(Model) is null or "no_vocab" or "none";

    public static void Run(ModelValues values)
    {
        var model = values.Text(Model) ?? throw values.Fail($"'{Model}'", "is missing");
        if (IsNone(values))
        {
            if (values.Number("vocab_size") > MaxTokens)
            {
                throw values.Fail($"'{values.Key("vocab_size")}'", $"is {values.Number("vocab_size")}, and at most {MaxTokens} is supported");
            }

            return;
        }

        if (!values.Metadata.TryGetValue(Tokens, out var tokens) || !tokens.IsArray || tokens.ElementType != GgufValueType.String)
        {
            throw values.Fail($"'{Tokens}'", "is missing, or not an array of strings");
        }

        if (tokens.Count is 0 or > MaxTokens)
        {
            throw values.Fail($"'{Tokens}'", $"has {tokens.Count} elements, and 1 to {MaxTokens} are supported");
        }

        CheckDistinct(values, tokens);
        CheckSpecialTokens(values, model, tokens.Count);
        if (model == "llama")
        {
            CheckBytes(values, tokens);
        }
        else if (model == "bert")
        {
            CheckNoByteTokens(values);
        }
    }

    // llama.cpp asserts that its maps from text to token and back have the same size.
    private static void CheckDistinct(ModelValues values, GgufValue tokens)
    {
        var seen = new TextSet(tokens.Count);
        var index = 0;
        foreach (var token in tokens.EnumerateStrings())
        {
            // C strings end at a zero byte. llama.cpp renames an empty token.
            var text = token.IndexOf((byte)0) is >= 0 and var end ? token[..end] : token;
            if (!seen.Add(text.IsEmpty ? Encoding.UTF8.GetBytes($"[EMPTY_{index}]") : text))
            {
                throw values.Fail($"'{Tokens}'", $"has the token {index} '{Encoding.UTF8.GetString(token)}' twice");
            }

            index++;
        }
    }

    private static void CheckSpecialTokens(ModelValues values, string model, int count)
    {
        // The default tokens are llama.cpp's, as are the tokens that each kind of tokenizer adds by default.
        var (bos, eos, addsBos, addsEos) = model switch
        {
            "llama" or "plamo2" => (1, 2, model == "llama", false),
            "bert" => (101, 102, true, true),
            "t5" => (-1, 1, false, true),
            "gemma4" => (-1, -1, true, false),
            "gpt2" or "hybriddna" or "whitespace" => (11, 11, AddsBos(values.Text("tokenizer.ggml.pre")), false),
            _ => (0, 0, false, false),
        };
        if (model != "gemma4" && model != "bert")
        {
            addsBos = values.Flag("tokenizer.ggml.add_bos_token") ?? addsBos;
            addsEos = values.Flag("tokenizer.ggml.add_eos_token") ?? addsEos;
        }

        RequireToken(values, "tokenizer.ggml.bos_token_id", bos, addsBos, count);
        RequireToken(values, model == "bert" ? "tokenizer.ggml.seperator_token_id" : "tokenizer.ggml.eos_token_id", eos, addsEos, count);
    }

    private static bool AddsBos(string? pre) =>
        pre is "llama3" or "llama-v3" or "llama-bpe" or "falcon3" or "falcon-h1" or "pixtral" or "midm-2.0" or "lfm2" or "jina-v5-nano" or "gemma4";

    private static void RequireToken(ModelValues values, string key, int fallback, bool isAdded, int count)
    {
        var id = values.NumberAt(key) is { } own && own < count ? (int)own : fallback;
        if (isAdded && (id < 0 || id >= count))
        {
            throw values.Fail($"'{key}'", $"is missing or beyond the vocabulary of {count} tokens, and the tokenizer adds it to every text");
        }
    }

    // A character that is not a token falls back to its bytes.
    private static void CheckBytes(ModelValues values, GgufValue tokens)
    {
        Span<bool> found = stackalloc bool[256];
        foreach (var token in tokens.EnumerateStrings())
        {
            if (token.Length == 6 && token.StartsWith("<0x"u8) && token[5] == (byte)'>'
                && byte.TryParse(token.Slice(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value))
            {
                found[value] = true;
            }
        }

        if (found.Contains(true) && found.Contains(false))
        {
            throw values.Fail($"'{Tokens}'", $"has tokens for some bytes, but not for <0x{found.IndexOf(false):X2}>");
        }
    }

    private static void CheckNoByteTokens(ModelValues values)
    {
        if (values.Metadata.TryGetValue("tokenizer.ggml.token_type", out var types)
            && types.IsArray && types.ElementType == GgufValueType.Int32 && types.ToArray<int>().Contains(ByteTokenType))
        {
            throw values.Fail("'tokenizer.ggml.token_type'", "has byte tokens, which a WordPiece tokenizer does not support");
        }
    }
}

using System.Text.RegularExpressions;

namespace MoeOffload.Cli.Errors;

/// <summary>
/// Translates the library's member names in messages into the names of the command's options, because a command line has no
/// <c>ContextOptions.ContextLength</c> to set.
/// </summary>
internal static partial class MemberNames
{
    // Sentences that no replacement of a member makes right.
    private static readonly (string Sentence, string Translation)[] s_sentences =
    [
        ("Set GenerationRequest.ContextFull to Stop or Error.", "Remove --context-shift."),
        ("or load only the vocabulary with Vocabulary.Load", "because it cannot generate text"),
    ];

    private static readonly Dictionary<string, string> s_options = new(StringComparer.OrdinalIgnoreCase)
    {
        ["BatchSize"] = "--batch-size",
        ["ChatTemplate"] = "--chat-template",
        ["ContextLength"] = "--ctx-size",
        ["CountExperts"] = "--count-experts",
        ["Devices"] = "--device",
        ["Experts"] = "--expert-memory",
        ["FlashAttention"] = "--flash-attn",
        ["GpuLayers"] = "--gpu-layers",
        ["Grammar"] = "--grammar",
        ["JsonSchema"] = "--json-schema",
        ["KeepTokens"] = "--keep",
        ["KeyType"] = "--cache-type-k",
        ["MainGpu"] = "--main-gpu",
        ["MaxDraftTokens"] = "--spec-draft-n-max",
        ["MaxTokens"] = "--max-tokens",
        ["MicroBatchSize"] = "--ubatch-size",
        ["MinP"] = "--min-p",
        ["NativeLibraryDirectory"] = "--native-dir",
        ["RequireDevice"] = "--require-device",
        ["ResponseSchema"] = "--json-schema",
        ["RpcServers"] = "--rpc",
        ["Seed"] = "--seed",
        ["SequenceCount"] = "--parallel",
        ["StopStrings"] = "--stop",
        ["Temperature"] = "--temperature",
        ["TensorSplit"] = "--tensor-split",
        ["TopK"] = "--top-k",
        ["TopP"] = "--top-p",
        ["ValueType"] = "--cache-type-v",
    };

    /// <summary>Gets the option that sets a member; null if there is none.</summary>
    /// <param name="member">The member, or the parameter of an <see cref="ArgumentException"/>.</param>
    public static string? OptionOf(string? member) => member is null ? null : s_options.GetValueOrDefault(member[(member.LastIndexOf('.') + 1)..]);

    /// <summary>Replaces the members that a message names by their options.</summary>
    /// <param name="message">The message.</param>
    public static string Translate(string message) => Member().Replace(
        s_sentences.Aggregate(message, (text, item) => text.Replace(item.Sentence, item.Translation, StringComparison.Ordinal)),
        match => OptionOf(match.Groups["name"].Value) ?? match.Value);

    // A single word counts as a member only if it is not an ordinary word: "Grammar" is a member only in "Sampling.Grammar".
    [GeneratedRegex(@"\b(?:(?:[A-Z][A-Za-z]*Options|GenerationRequest|Sampling|KvCache)\.(?<name>[A-Z][A-Za-z]+)|(?<name>[A-Z][a-z]+[A-Z][A-Za-z]*))\b", RegexOptions.CultureInvariant)]
    private static partial Regex Member();
}

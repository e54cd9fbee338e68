using System.Text;

namespace MoeOffload;

/// <summary>
/// Represents the DRY ("don't repeat yourself") sampler, which penalizes tokens that would extend a repeated sequence. The penalty grows
/// with the length of the sequence (https://github.com/oobabooga/text-generation-webui/pull/5677).
/// </summary>
public sealed record DrySampler : Sampler
{
    private const int MaxBreakers = 256;

    // llama.cpp truncates longer sequence breakers, possibly in the middle of a character.
    private const int MaxBreakerBytes = 40;

    /// <summary>Gets or sets the strength of the penalty, from 0 to 100. The default is 0, which disables the sampler.</summary>
    public float Multiplier { get; init; }

    /// <summary>Gets or sets the factor by which the penalty grows with each further token, from 1 to 100. The default is 1.75.</summary>
    public float Base { get; init; } = 1.75f;

    /// <summary>Gets or sets the number of tokens that can be repeated without a penalty. The default is 2.</summary>
    public int AllowedLength { get; init; } = 2;

    /// <summary>
    /// Gets or sets the number of most recent tokens that are searched for repetitions, from 0 to 1048576. The default is 64, as in
    /// llama.cpp. If the value is 0, the sampler is disabled.
    /// </summary>
    public int LastTokens { get; init; } = 64;

    /// <summary>
    /// Gets or sets the strings that end a repetition: at most 256 strings of 1 to 40 bytes of UTF-8 each. The defaults are the line feed,
    /// the colon, the quotation mark and the asterisk.
    /// </summary>
    public IReadOnlyList<string> SequenceBreakers
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(SequenceBreakers));
    } = ["\n", ":", "\"", "*"];

    /// <inheritdoc/>
    public override string Name => "dry";

    internal override bool DoesNothing => Multiplier == 0 || LastTokens == 0;

    internal override void Validate()
    {
        OptionRange.Check(Multiplier, 0, 100, "Dry.Multiplier", "the strength of the penalty, 0 to disable it");
        OptionRange.Check(Base, 1, 100, "Dry.Base", "the growth of the penalty per token, 1.75 by default; to disable it, set Dry.Multiplier to 0");
        OptionRange.Check(AllowedLength, 0, MaxHistory, "Dry.AllowedLength", "the number of tokens that can be repeated, 2 by default");
        OptionRange.Check(LastTokens, 0, MaxHistory, "Dry.LastTokens", "the number of most recent tokens to search, 0 for none");
        OptionRange.Check(SequenceBreakers.Count, 0, MaxBreakers, "Dry.SequenceBreakers.Count", "each string is searched for in the whole vocabulary");
        foreach (var breaker in SequenceBreakers)
        {
            if (string.IsNullOrEmpty(breaker) || breaker.Length > MaxBreakerBytes || breaker.Contains('\0') || Encoding.UTF8.GetByteCount(breaker) > MaxBreakerBytes)
            {
                throw new ArgumentException(
                    $"Dry.SequenceBreakers contains '{breaker}'; each string must be 1 to {MaxBreakerBytes} bytes of UTF-8 without NUL.", nameof(SequenceBreakers));
            }
        }
    }
}

using System.Text;

namespace MoeOffload;

/// <summary>
/// "Don't repeat yourself": makes tokens that would lengthen a repeated sequence less probable, the more the longer it is
/// (https://github.com/oobabooga/text-generation-webui/pull/5677).
/// </summary>
public sealed record DrySampler : Sampler
{
    private const int MaxBreakers = 256;

    // llama.cpp cuts a longer one off, perhaps within a character.
    private const int MaxBreakerBytes = 40;

    /// <summary>How much to penalize, 0 to 100; 0, llama.cpp's default, is off.</summary>
    public float Multiplier { get; init; }

    /// <summary>What the penalty grows by with each further token, 1 to 100.</summary>
    public float Base { get; init; } = 1.75f;

    /// <summary>How many tokens may repeat without a penalty.</summary>
    public int AllowedLength { get; init; } = 2;

    /// <summary>How many of the last tokens are searched for repetitions, 0 to 1048576; 0 is none. llama.cpp's default is 64.</summary>
    public int LastTokens { get; init; } = 64;

    /// <summary>Texts that end a repetition, 1 to 40 bytes each, 256 at most; by default line end, colon, quotation mark and star.</summary>
    public IReadOnlyList<string> SequenceBreakers { get; init; } = ["\n", ":", "\"", "*"];

    /// <inheritdoc/>
    public override string Name => "dry";

    internal override bool DoesNothing => Multiplier == 0 || LastTokens == 0;

    internal override void Validate()
    {
        OptionRange.Check(Multiplier, 0, 100, "Dry.Multiplier", "how much to penalize, 0 for off");
        OptionRange.Check(Base, 1, 100, "Dry.Base", "the growth per token, 1.75 by default; for off, set Dry.Multiplier to 0");
        OptionRange.Check(AllowedLength, 0, MaxHistory, "Dry.AllowedLength", "how many tokens may repeat, 2 by default");
        OptionRange.Check(LastTokens, 0, MaxHistory, "Dry.LastTokens", "how many of the last tokens are searched, 0 for none");
        ArgumentNullException.ThrowIfNull(SequenceBreakers, "Dry.SequenceBreakers");
        OptionRange.Check(SequenceBreakers.Count, 0, MaxBreakers, "Dry.SequenceBreakers.Count", "each is searched for in the whole vocabulary");
        foreach (var breaker in SequenceBreakers)
        {
            if (string.IsNullOrEmpty(breaker) || breaker.Length > MaxBreakerBytes || breaker.Contains('\0') || Encoding.UTF8.GetByteCount(breaker) > MaxBreakerBytes)
            {
                throw new ArgumentException(
                    $"Dry.SequenceBreakers holds '{breaker}'; each must be 1 to {MaxBreakerBytes} bytes of UTF-8 without NUL.", nameof(SequenceBreakers));
            }
        }
    }
}

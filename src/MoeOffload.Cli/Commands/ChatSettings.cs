using System.Globalization;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Commands;

/// <summary>Reads and shows the settings of <c>/set</c>.</summary>
internal static class ChatSettings
{
    /// <summary>Returns a copy of the options with one setting changed.</summary>
    /// <exception cref="UsageException">The setting or its value is not valid.</exception>
    public static ChatOptions With(ChatOptions options, string name, string value)
    {
        SamplingOptions sampling = options.Sampling ?? new SamplingOptions();
        PenaltiesSampler penalties = sampling.Penalties ?? new PenaltiesSampler();
        ChatOptions changed = name switch
        {
            "temperature" => options with { Sampling = sampling with { Temperature = Number(name, value) } },
            "top_k" => options with { Sampling = sampling with { TopK = Integer(name, value) } },
            "top_p" => options with { Sampling = sampling with { TopP = Number(name, value) } },
            "min_p" => options with { Sampling = sampling with { MinP = Number(name, value) } },
            "repeat_penalty" => options with { Sampling = sampling with { Penalties = penalties with { Repeat = Number(name, value) } } },
            "seed" => options with { Sampling = sampling with { Seed = Integer(name, value) is >= 0 and var seed ? (uint)seed : null } },
            "max_tokens" => options with { MaxTokens = Integer(name, value) is > 0 and var count ? count : null },
            "thinking" => options with { Reasoning = value switch { "on" => true, "off" => false, _ => throw Wrong(name, value, "on or off") } },
            _ => throw new UsageException($"'{name}' is not a setting; /help lists the settings."),
        };
        changed.Sampling?.Validate();
        return changed;
    }

    /// <summary>Formats all settings on one line.</summary>
    public static string Describe(ChatOptions options)
    {
        SamplingOptions sampling = options.Sampling ?? new SamplingOptions();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"temperature {sampling.Temperature}, top_k {sampling.TopK}, top_p {sampling.TopP}, min_p {sampling.MinP}, repeat_penalty {sampling.Penalties?.Repeat ?? 1}, "
            + $"seed {(sampling.Seed is { } seed ? seed : "random")}, max_tokens {(options.MaxTokens is { } most ? most : "no limit")}, thinking {(options.Reasoning ? "on" : "off")}");
    }

    private static float Number(string name, string value) =>
        float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : throw Wrong(name, value, "a number");

    private static int Integer(string name, string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : throw Wrong(name, value, "a whole number");

    private static UsageException Wrong(string name, string value, string allowed) => new($"{name} is '{value}', but must be {allowed}.");
}

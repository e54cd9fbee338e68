using System.Diagnostics.CodeAnalysis;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>
/// Where tensors go: rules in order, of which the first whose pattern is found in a tensor's name decides, as in llama.cpp.
/// A tensor that no rule names goes where the GPU layers put it.
/// </summary>
/// <remarks>
/// Immutable and equal by value. The notation of llama.cpp's command line parses to it and prints from it:
/// <c>-ot REGEX=BUFFER[,REGEX=BUFFER…]</c>, <c>--cpu-moe</c>, <c>--n-cpu-moe N</c>.
/// </remarks>
public sealed class TensorPlacement : IEquatable<TensorPlacement>
{
    /// <summary>The pattern by which llama.cpp finds expert weights, their biases and scales; shared experts and routers are not among them.</summary>
    public const string ExpertPattern = ExpertTensors.Pattern;

    /// <summary>The buffer name that stands for host memory.</summary>
    public const string HostBuffer = "CPU";

    // llama.cpp takes 4096, the end mark included, and compiles each anew for every tensor.
    private const int MaxRules = 4095;

    private const int MaxBufferName = 256;

    private readonly PlacementRule[] _rules;
    private readonly PlacementPattern[] _patterns;

    private TensorPlacement(PlacementRule[] rules)
    {
        if (rules.Length > MaxRules)
        {
            throw new PlacementException($"{rules.Length} placement rules are more than the {MaxRules} that llama.cpp takes; join patterns with '|'");
        }

        _rules = rules;
        _patterns = new PlacementPattern[rules.Length];
        for (var i = 0; i < rules.Length; i++)
        {
            _patterns[i] = Check(i, rules[i]);
        }
    }

    /// <summary>No rules: every tensor goes where the GPU layers put it.</summary>
    public static TensorPlacement Default { get; } = new([]);

    /// <summary>The rules, the first to match first.</summary>
    public IReadOnlyList<PlacementRule> Rules => _rules;

    /// <summary>All experts in host memory; llama.cpp's <c>--cpu-moe</c>.</summary>
    public static TensorPlacement ExpertsToCpu() => FromRules(new PlacementRule(ExpertPattern, HostBuffer));

    /// <summary>The experts of the first layers in host memory, those of the later ones on the GPU; llama.cpp's <c>--n-cpu-moe</c>.</summary>
    /// <param name="firstLayers">How many layers, 0 to 512.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="firstLayers"/> is out of range.</exception>
    public static TensorPlacement ExpertsToCpu(int firstLayers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstLayers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstLayers, ExpertTensors.MaxLayers);
        return ExpertsToCpu(Enumerable.Range(0, firstLayers));
    }

    /// <summary>The experts of some layers in host memory, the others' on the GPU.</summary>
    /// <param name="layers">Layer numbers, 0 to 511, in any order.</param>
    /// <exception cref="ArgumentOutOfRangeException">A layer number is out of range.</exception>
    /// <exception cref="PlacementException">The layers are so scattered that no pattern of allowed length names them.</exception>
    public static TensorPlacement ExpertsToCpu(IEnumerable<int> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        int[] sorted = [.. layers.Distinct().Order()];
        if (sorted.Length == 0)
        {
            return Default;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(sorted[0], nameof(layers));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sorted[^1], ExpertTensors.MaxLayers, nameof(layers));
        return FromRules(new PlacementRule(ExpertTensors.PatternOf(sorted), HostBuffer));
    }

    /// <summary>These rules, in this order.</summary>
    /// <exception cref="PlacementException">A pattern is malformed, or a buffer has no proper name; the message says which rule, where and why.</exception>
    public static TensorPlacement FromRules(params IEnumerable<PlacementRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        PlacementRule[] list = [.. rules];
        return list.Length == 0 ? Default : new TensorPlacement(list);
    }

    /// <summary>Reads llama.cpp's notation; options may be repeated, and their order is the rules' order.</summary>
    /// <param name="text">
    /// For example <c>-ot blk\.0\.=CUDA0 --n-cpu-moe 12</c>, or the bare rules without <c>-ot</c>. A pattern with a comma, an
    /// equals sign or a space outside brackets, which llama.cpp cannot say, stands in double quotes, doubled inside.
    /// </param>
    /// <exception cref="PlacementException">The text is not in that notation, or a rule is wrong.</exception>
    public static TensorPlacement Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return FromRules(new PlacementReader(text).Read());
    }

    /// <summary>Reads llama.cpp's notation, as <see cref="Parse"/>, without an exception for what is not in it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TensorPlacement? placement)
    {
        placement = null;
        if (text is null)
        {
            return false;
        }

        try
        {
            placement = Parse(text);
            return true;
        }
        catch (PlacementException)
        {
            return false;
        }
    }

    /// <summary>This placement with a rule after its own.</summary>
    /// <exception cref="PlacementException">The rule is wrong.</exception>
    public TensorPlacement With(PlacementRule rule) => FromRules([.. _rules, rule]);

    /// <summary>This placement with a rule after its own.</summary>
    /// <exception cref="PlacementException">The rule is wrong.</exception>
    public TensorPlacement With(string pattern, string buffer) => With(new PlacementRule(pattern, buffer));

    /// <summary>This placement's rules, then the other's.</summary>
    public TensorPlacement Then(TensorPlacement next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return FromRules([.. _rules, .. next._rules]);
    }

    /// <inheritdoc/>
    public bool Equals(TensorPlacement? other) => other is not null && _rules.AsSpan().SequenceEqual(other._rules);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorPlacement);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var rule in _rules)
        {
            hash.Add(rule);
        }

        return hash.ToHashCode();
    }

    /// <summary>The placement in llama.cpp's notation, empty without rules; <see cref="Parse"/> reads it back.</summary>
    public override string ToString() => PlacementWriter.Write(_rules);

    /// <summary>The number of the rule that decides about a tensor, from 0, or <see langword="null"/> if none does.</summary>
    /// <exception cref="PlacementException">A pattern can only be searched by llama.cpp's own engine, or takes too long.</exception>
    internal int? RuleFor(string tensorName)
    {
        for (var i = 0; i < _patterns.Length; i++)
        {
            switch (_patterns[i].IsFoundIn(tensorName))
            {
                case true:
                    return i;
                case null:
                    throw new PlacementException(
                        $"{Name(i, _rules[i].Pattern)}: cannot be searched in '{tensorName}' without llama.cpp, or takes too long; write it more simply");
            }
        }

        return null;
    }

    private static PlacementPattern Check(int index, PlacementRule rule)
    {
        if (rule?.Pattern is not { } pattern)
        {
            throw new PlacementException($"placement rule {index + 1} is null or has no pattern; give a regular expression over tensor names");
        }

        if (string.IsNullOrWhiteSpace(rule.Buffer))
        {
            throw new PlacementException($"{Name(index, pattern)}: names no buffer; write {HostBuffer} or a device's buffer such as CUDA0");
        }

        if (rule.Buffer.Length > MaxBufferName || rule.Buffer.Any(char.IsControl))
        {
            throw new PlacementException($"{Name(index, pattern)}: the buffer's name has control characters or more than {MaxBufferName} characters");
        }

        try
        {
            return PlacementPattern.Parse(pattern);
        }
        catch (FormatException error)
        {
            throw new PlacementException($"{Name(index, pattern)}: {error.Message}", error);
        }
    }

    private static string Name(int index, string pattern)
    {
        const int Shown = 80;
        return $"placement rule {index + 1}, `{(pattern.Length <= Shown ? pattern : pattern[..Shown] + "…")}`";
    }
}

using System.Diagnostics.CodeAnalysis;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>
/// Represents an ordered list of rules that determine where a model's tensors are placed. As in llama.cpp, the first rule whose pattern
/// is found in a tensor's name applies to it. The GPU layers determine the place of a tensor that no rule applies to.
/// </summary>
/// <remarks>
/// Instances are immutable and are compared by value. <see cref="Parse"/> and <see cref="ToString"/> use the notation of llama.cpp's
/// command line: <c>-ot REGEX=BUFFER[,REGEX=BUFFER…]</c>, <c>--cpu-moe</c>, <c>--n-cpu-moe N</c>.
/// </remarks>
public sealed class TensorPlacement : IEquatable<TensorPlacement>
{
    /// <summary>The pattern that llama.cpp uses for expert weights, their biases and scales. It does not match shared experts and routers.</summary>
    public const string ExpertPattern = ExpertTensors.Pattern;

    /// <summary>The buffer name that stands for system memory.</summary>
    public const string HostBuffer = "CPU";

    // llama.cpp accepts 4096 including the terminator, and compiles each one again for every tensor.
    private const int MaxRules = 4095;

    private const int MaxBufferName = 256;

    private readonly PlacementRule[] _rules;
    private readonly PlacementPattern[] _patterns;

    private TensorPlacement(PlacementRule[] rules, AutoPlacement? auto = null)
    {
        AutoPlan = auto;
        if (rules.Length > MaxRules)
        {
            throw new PlacementException($"{rules.Length} placement rules exceed llama.cpp's limit of {MaxRules}; join patterns with '|'");
        }

        _rules = rules;
        _patterns = new PlacementPattern[rules.Length];
        for (var i = 0; i < rules.Length; i++)
        {
            _patterns[i] = Check(i, rules[i]);
        }
    }

    /// <summary>Gets the placement without rules: the GPU layers determine the place of every tensor.</summary>
    public static TensorPlacement Default { get; } = new([]);

    /// <summary>
    /// Gets a value that indicates whether the placement is planned when the model is loaded. <see cref="Rules"/> are then those that the plan
    /// has to keep.
    /// </summary>
    public bool IsAuto => AutoPlan is not null;

    /// <summary>Gets what the placement is planned for, or <see langword="null"/> if it is not planned.</summary>
    internal AutoPlacement? AutoPlan { get; }

    /// <summary>Gets the rules, in the order in which they are matched.</summary>
    public IReadOnlyList<PlacementRule> Rules => _rules;

    /// <summary>
    /// Creates a placement that is planned when the model is loaded, as <see cref="MoeModel.Fit"/> does it: as much as possible of what a token
    /// reads goes to devices, and a model that does not fit is not loaded. Other options that are set, and rules that are added, are kept.
    /// </summary>
    /// <param name="marginBytes">The memory that stays free on each device and in system memory, in bytes, or <see langword="null"/> for 512 MiB.</param>
    /// <param name="context">The context that the model will be used with, or <see langword="null"/> for one with the default options.</param>
    /// <returns>The placement.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The margin is negative.</exception>
    public static TensorPlacement Auto(long? marginBytes = null, ContextShape? context = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(marginBytes ?? 0, nameof(marginBytes));
        return new TensorPlacement([], new AutoPlacement(marginBytes ?? PlacementProblem.DefaultMargin, context ?? new ContextShape()));
    }

    /// <summary>Creates a placement that keeps all experts in system memory, like llama.cpp's <c>--cpu-moe</c>.</summary>
    /// <returns>The placement.</returns>
    public static TensorPlacement ExpertsToCpu() => FromRules(new PlacementRule(ExpertPattern, HostBuffer));

    /// <summary>Creates a placement that keeps the experts of the first layers in system memory, like llama.cpp's <c>--n-cpu-moe</c>.</summary>
    /// <param name="firstLayers">The number of layers, from 0 to 512.</param>
    /// <returns>The placement.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="firstLayers"/> is less than 0 or greater than 512.</exception>
    public static TensorPlacement ExpertsToCpu(int firstLayers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstLayers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstLayers, ExpertTensors.MaxLayers);
        return ExpertsToCpu(Enumerable.Range(0, firstLayers));
    }

    /// <summary>Creates a placement that keeps the experts of the specified layers in system memory.</summary>
    /// <param name="layers">The layer numbers, from 0 to 511, in any order.</param>
    /// <returns>The placement.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A layer number is less than 0 or greater than 511.</exception>
    /// <exception cref="PlacementException">The layers are so scattered that a pattern for them would exceed the allowed length.</exception>
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

    /// <summary>Creates a placement from rules.</summary>
    /// <param name="rules">The rules, in the order in which they are matched; 4095 at most.</param>
    /// <returns>The placement.</returns>
    /// <exception cref="PlacementException">
    /// A pattern is not a valid regular expression, a buffer does not have a valid name, or there are too many rules. The message says
    /// which rule it is, and why.
    /// </exception>
    public static TensorPlacement FromRules(params IEnumerable<PlacementRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        PlacementRule[] list = [.. rules];
        return list.Length == 0 ? Default : new TensorPlacement(list);
    }

    /// <summary>Parses llama.cpp's notation. Options may be repeated; their order is the order of the rules.</summary>
    /// <param name="text">
    /// The options, for example <c>-ot blk\.0\.=CUDA0 --n-cpu-moe 12</c>, or only rules without <c>-ot</c>. A pattern with a comma, an
    /// equals sign or a space outside brackets, which llama.cpp does not support, is put in double quotes; quotes in it are doubled.
    /// </param>
    /// <returns>The placement.</returns>
    /// <exception cref="PlacementException">The text is not in this notation, or a rule is not valid.</exception>
    public static TensorPlacement Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return FromRules(new PlacementReader(text).Read());
    }

    /// <summary>Tries to parse llama.cpp's notation, as <see cref="Parse"/> does.</summary>
    /// <param name="text">The options or rules.</param>
    /// <param name="placement">The placement, or <see langword="null"/> if the text is not valid.</param>
    /// <returns><see langword="true"/> if the text was parsed; otherwise, <see langword="false"/>.</returns>
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

    /// <summary>Creates a placement that adds a rule after the rules of this one.</summary>
    /// <param name="rule">The rule.</param>
    /// <returns>The new placement.</returns>
    /// <exception cref="PlacementException">The rule is not valid.</exception>
    public TensorPlacement With(PlacementRule rule) => new([.. _rules, rule], AutoPlan);

    /// <summary>Creates a placement that adds a rule after the rules of this one.</summary>
    /// <param name="pattern">The rule's <see cref="PlacementRule.Pattern"/>.</param>
    /// <param name="buffer">The rule's <see cref="PlacementRule.Buffer"/>.</param>
    /// <returns>The new placement.</returns>
    /// <exception cref="PlacementException">The rule is not valid.</exception>
    public TensorPlacement With(string pattern, string buffer) => With(new PlacementRule(pattern, buffer));

    /// <summary>Creates a placement that adds the rules of another placement after the rules of this one.</summary>
    /// <param name="next">The placement whose rules are added. If one of both is planned when the model is loaded, the result is, too.</param>
    /// <returns>The new placement.</returns>
    public TensorPlacement Then(TensorPlacement next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return next._rules.Length == 0 && next.AutoPlan is null ? this : new TensorPlacement([.. _rules, .. next._rules], AutoPlan ?? next.AutoPlan);
    }

    /// <inheritdoc/>
    public bool Equals(TensorPlacement? other) => other is not null && AutoPlan == other.AutoPlan && _rules.AsSpan().SequenceEqual(other._rules);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorPlacement);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(AutoPlan);
        foreach (var rule in _rules)
        {
            hash.Add(rule);
        }

        return hash.ToHashCode();
    }

    /// <summary>Returns the placement in llama.cpp's notation, which <see cref="Parse"/> reads, or an empty string if there are no rules.</summary>
    public override string ToString() => PlacementWriter.Write(_rules);

    /// <summary>Returns the rules without the plan that is to be made.</summary>
    internal TensorPlacement WithoutAuto() => AutoPlan is null ? this : FromRules(_rules);

    /// <summary>Gets the zero-based index of the rule that applies to a tensor, or <see langword="null"/> if none does.</summary>
    /// <exception cref="PlacementException">Only llama.cpp's own engine can match a pattern, or matching takes too long.</exception>
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
                        $"{Name(i, _rules[i].Pattern)}: cannot be matched against '{tensorName}' without llama.cpp, or matching takes too long; simplify the pattern");
            }
        }

        return null;
    }

    private static PlacementPattern Check(int index, PlacementRule rule)
    {
        if (rule?.Pattern is not { } pattern)
        {
            throw new PlacementException($"placement rule {index + 1} is null or has no pattern; specify a regular expression for tensor names");
        }

        if (string.IsNullOrWhiteSpace(rule.Buffer))
        {
            throw new PlacementException($"{Name(index, pattern)}: does not name a buffer; use {HostBuffer}, or the buffer of a device such as CUDA0");
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

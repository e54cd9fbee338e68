namespace MoeOffload.Cli.Options;

/// <summary>Names the options of a benchmark, with the benchmark's name as a prefix if a command runs several benchmarks.</summary>
/// <param name="bench">The name of the benchmark; null for names without a prefix.</param>
internal sealed class BenchNames(string? bench)
{
    /// <summary>Gets the names without a prefix.</summary>
    public static BenchNames Own { get; } = new(null);

    /// <summary>Gets the name of an option: <c>--rounds</c>, or <c>--sweep-rounds</c>.</summary>
    public string this[string name] => bench is null ? $"--{name}" : $"--{bench}-{name}";

    /// <summary>Gets additional names, which exist only without a prefix.</summary>
    public string[] Short(params string[] names) => bench is null ? names : [];
}

namespace MoeOffload.Cli.Options;

/// <summary>What the options of a bench are called: as they are, or with the bench's name before them where a command runs several.</summary>
/// <param name="bench">The bench; null for the names as they are.</param>
internal sealed class BenchNames(string? bench)
{
    /// <summary>The names as they are.</summary>
    public static BenchNames Own { get; } = new(null);

    /// <summary>The name of an option: <c>--rounds</c>, or <c>--sweep-rounds</c>.</summary>
    public string this[string name] => bench is null ? $"--{name}" : $"--{bench}-{name}";

    /// <summary>Further names, which only a bench of its own has.</summary>
    public string[] Short(params string[] names) => bench is null ? names : [];
}

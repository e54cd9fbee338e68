namespace MoeOffload.Cli.Measurement;

/// <summary>What is said of a bench's samples.</summary>
internal interface IBenchReport
{
    /// <summary>Each statistic that is worth a look.</summary>
    IEnumerable<Figure> Figures { get; }

    /// <summary>Writes tables for people to read.</summary>
    void WriteTo(TextWriter writer);
}

namespace MoeOffload.Measurement.Evidence;

/// <summary>Represents a problem in a folder of evidence.</summary>
/// <param name="Where">The file, with the line if the problem is in a line, or the figure.</param>
/// <param name="What">A description of the problem.</param>
internal sealed record Problem(string Where, string What)
{
    public override string ToString() => $"{Where}: {What}".ReplaceLineEndings(" ");
}

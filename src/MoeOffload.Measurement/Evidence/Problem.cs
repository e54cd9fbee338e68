namespace MoeOffload.Measurement.Evidence;

/// <summary>Why evidence cannot be trusted.</summary>
/// <param name="Where">The file, with the line where it is of one, or the figure.</param>
/// <param name="What">What is wrong there.</param>
internal sealed record Problem(string Where, string What)
{
    public override string ToString() => $"{Where}: {What}".ReplaceLineEndings(" ");
}

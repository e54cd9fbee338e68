namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents the content of a tensor.</summary>
internal abstract record TensorContent
{
    /// <summary>Represents random values with a mean of 0 and a standard deviation.</summary>
    public sealed record Noise(float Deviation) : TensorContent;

    /// <summary>Represents one value for all elements.</summary>
    public sealed record Constant(float Value) : TensorContent;

    /// <summary>Represents explicit values, in one row.</summary>
    public sealed record Row(float[] Values) : TensorContent;
}

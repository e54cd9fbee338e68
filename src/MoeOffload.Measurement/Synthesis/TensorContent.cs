namespace MoeOffload.Measurement.Synthesis;

/// <summary>What a tensor is filled with.</summary>
internal abstract record TensorContent
{
    /// <summary>Random values of a standard deviation and the mean 0.</summary>
    public sealed record Noise(float Deviation) : TensorContent;

    /// <summary>The same value everywhere.</summary>
    public sealed record Constant(float Value) : TensorContent;

    /// <summary>Values of their own, in one row.</summary>
    public sealed record Row(float[] Values) : TensorContent;
}

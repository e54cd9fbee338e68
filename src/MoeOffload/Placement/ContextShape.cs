using MoeOffload.Gguf;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Represents the properties of a context that determine how much memory it takes.</summary>
public sealed record ContextShape
{
    private const int UsualMicroBatch = 512;
    private const int OffloadedMicroBatch = 2048;
    private const int UsualBatch = 2048;

    /// <summary>
    /// Gets the length of the context in tokens, which all sequences share. The default is 0, which plans for the length that the model was
    /// trained for, up to 8192 tokens.
    /// </summary>
    public int Length { get; init; }

    /// <summary>Gets the number of sequences, which is the number of requests that run at the same time. The default is 1.</summary>
    public int SequenceCount { get; init; } = 1;

    /// <summary>Gets the data type of the keys in the KV cache. The default is F16.</summary>
    public GgmlType KeyType { get; init; } = GgmlType.F16;

    /// <summary>Gets the data type of the values in the KV cache. The default is F16.</summary>
    public GgmlType ValueType { get; init; } = GgmlType.F16;

    /// <summary>
    /// Gets a value that indicates whether the KV cache is on the devices that hold the layers, instead of in system memory. The default is
    /// <see langword="true"/>.
    /// </summary>
    public bool IsOffloaded { get; init; } = true;

    /// <summary>Gets a value that indicates whether all sequences share one buffer. The default is <see langword="false"/>.</summary>
    public bool IsUnified { get; init; }

    /// <summary>Gets the maximum number of tokens in a step. The default is <see langword="null"/>, which is 2048.</summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Gets the maximum number of tokens that are computed together. The default is <see langword="null"/>, which is 2048 if experts are in
    /// system memory while a device holds layers, and 512 otherwise.
    /// </summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>Gets the number of tokens that are computed together.</summary>
    /// <param name="expertsOffloaded">Whether experts are in system memory while a device holds layers.</param>
    internal int MicroBatch(bool expertsOffloaded) =>
        Math.Min(MicroBatchSize ?? (expertsOffloaded ? OffloadedMicroBatch : UsualMicroBatch), BatchSize ?? UsualBatch);

    /// <summary>Returns the shape with the length that is planned for.</summary>
    internal ContextShape Resolve(int trainedLength) => Length > 0 ? this : this with { Length = DefaultContextLength.Shortest(trainedLength) };

    /// <summary>Gets the number of cells of the KV cache, rounded up as in llama.cpp.</summary>
    internal long CellCount()
    {
        const long Multiple = 256;
        int parts = IsUnified ? 1 : SequenceCount;
        long part = Round(Length) / parts;
        return Math.Max(Round(part), Multiple) * parts;

        static long Round(long length) => (length + Multiple - 1) / Multiple * Multiple;
    }

    internal void Validate()
    {
        OptionRange.Check(Length, 0, 1 << 28, nameof(Length), "0 plans for the default length");
        OptionRange.Check(SequenceCount, 1, 256, nameof(SequenceCount), "plan for fewer requests at the same time");
        OptionRange.Check(BatchSize, 1, 1 << 20, nameof(BatchSize), "null plans for 2048");
        OptionRange.Check(MicroBatchSize, 1, 1 << 20, nameof(MicroBatchSize), "null plans for the default");
        CheckType(KeyType, nameof(KeyType));
        CheckType(ValueType, nameof(ValueType));
    }

    private static void CheckType(GgmlType type, string name)
    {
        if (!GgmlTypeInfo.TryGet(type, out _))
        {
            throw new ArgumentOutOfRangeException(name, type, "The type is unknown to llama.cpp.");
        }
    }
}

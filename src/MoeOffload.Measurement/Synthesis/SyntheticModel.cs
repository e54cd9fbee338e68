using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Represents a model with the shape, types and metadata of a published model, but random weights. Its file says so. Its speed and memory can
/// be measured, but its answers have no meaning.
/// </summary>
internal sealed class SyntheticModel
{
    /// <summary>The key of the Boolean metadata value that marks a file with synthetic weights.</summary>
    public const string Key = "moeoffload.synthetic_weights";

    private readonly GgufWriter _writer = new();
    private IProgress<long>? _progress;
    private CancellationToken _cancelled;
    private long _written;

    /// <summary>Plans a model without creating it.</summary>
    /// <param name="shape">The published model.</param>
    /// <param name="type">The file type.</param>
    /// <param name="layers">The number of layers to include.</param>
    /// <param name="seed">The seed of the random weights.</param>
    public SyntheticModel(ModelShape shape, FileType type, int layers, int seed)
    {
        Name = layers == shape.LayerCount ? $"{shape.Name} (synthetic weights)" : $"{shape.Name}, {layers} of {shape.LayerCount} layers (synthetic weights)";
        Tensors = [.. shape.Tensors(layers).Select(tensor => new PlannedTensor(tensor, type.TypeOf(shape, layers, tensor)))];
        Describe(shape, type, layers, seed);
        var vocabulary = new SyntheticVocabulary(shape.Vocabulary);
        vocabulary.WriteTo(_writer);
        var pools = new WeightPools(seed);
        foreach ((ShapeTensor tensor, GgmlType stored) in Tensors)
        {
            // With logits of 0, special tokens are hardly ever selected, so an answer does not end by chance.
            Func<long, bool>? isZero = tensor.Name == "output.weight" ? vocabulary.IsSpecial : null;
            _writer.AddTensor(tensor.Name, stored, tensor.Dimensions, Followed(pools.Source(tensor, stored, isZero)));
        }
    }

    public string Name { get; }

    public IReadOnlyList<PlannedTensor> Tensors { get; }

    public long ParameterCount => Tensors.Sum(planned => planned.Tensor.ElementCount);

    /// <summary>Gets the size of the file in bytes.</summary>
    public long FileBytes => _writer.GetByteCount();

    /// <summary>Writes the file. If that fails or is canceled, no file is created, and an existing file is not changed.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="progress">Receives the number of bytes written so far.</param>
    /// <param name="cancelled">Cancels the operation.</param>
    /// <exception cref="IOException">Writing failed.</exception>
    public void Write(string path, IProgress<long>? progress = null, CancellationToken cancelled = default)
    {
        (_progress, _cancelled, _written) = (progress, cancelled, 0);
        _writer.Write(path);
    }

    private void Describe(ModelShape shape, FileType type, int layers, int seed)
    {
        _writer.Set(GgufKeys.Architecture, shape.Architecture);
        _writer.Set("general.type", "model");
        _writer.Set(GgufKeys.Name, Name);
        _writer.Set("general.file_type", (uint)type.Number);
        _writer.Set("general.quantization_version", 2u);
        _writer.Set(Key, true);
        _writer.Set("moeoffload.synthetic_shape", shape.Id);
        _writer.Set("moeoffload.synthetic_seed", (uint)seed);
        var metadata = new ShapeMetadata(_writer, shape.Architecture);
        metadata.Set("block_count", layers);
        shape.Describe(metadata);
    }

    private GgufTensorSource Followed(GgufTensorSource source) => (offset, destination) =>
    {
        _cancelled.ThrowIfCancellationRequested();
        source(offset, destination);
        _written += destination.Length;
        _progress?.Report(_written);
    };
}

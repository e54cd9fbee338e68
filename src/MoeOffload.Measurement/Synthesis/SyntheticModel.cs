using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// A model with the shape, types and metadata of a published one and random weights, which says so: it can be measured, and its answers
/// mean nothing.
/// </summary>
internal sealed class SyntheticModel
{
    /// <summary>The metadata key, a boolean, by which a file says that its weights are synthetic.</summary>
    public const string Key = "moeoffload.synthetic_weights";

    private readonly GgufWriter _writer = new();
    private IProgress<long>? _progress;
    private CancellationToken _cancelled;
    private long _written;

    /// <summary>Plans a model; nothing is made yet.</summary>
    /// <param name="shape">The published model.</param>
    /// <param name="type">The file type.</param>
    /// <param name="layers">How many of its layers it has.</param>
    /// <param name="seed">What the weights depend on.</param>
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
            // With logits of 0 special tokens are hardly ever chosen, and an answer does not end by chance.
            Func<long, bool>? isZero = tensor.Name == "output.weight" ? vocabulary.IsSpecial : null;
            _writer.AddTensor(tensor.Name, stored, tensor.Dimensions, Followed(pools.Source(tensor, stored, isZero)));
        }
    }

    public string Name { get; }

    public IReadOnlyList<PlannedTensor> Tensors { get; }

    public long ParameterCount => Tensors.Sum(planned => planned.Tensor.ElementCount);

    /// <summary>The size of the file.</summary>
    public long FileBytes => _writer.GetByteCount();

    /// <summary>Writes the file. Where that fails or is cancelled, there is none, and a former one is what it was.</summary>
    /// <param name="path">The file.</param>
    /// <param name="progress">Takes the bytes written so far.</param>
    /// <param name="cancelled">Ends it.</param>
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

using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>Creates copies of models with a change, to test which files are rejected.</summary>
public static class AlteredModels
{
    /// <summary>Copies a model's file, with other metadata or fewer tensors.</summary>
    /// <param name="model">The model to copy.</param>
    /// <param name="change">Changes the metadata: the writer has all of the model's.</param>
    /// <param name="keepTensor">Says by its name whether a tensor is kept; all are by default.</param>
    /// <param name="options">Version, byte order and alignment of the copy.</param>
    /// <returns>The path of the copy, which is next to the model.</returns>
    public static string Alter(
        TinyModel model, Action<GgufWriter>? change = null, Func<string, bool>? keepTensor = null, GgufWriterOptions? options = null) =>
        Alter(model.Path, model.Name, change, keepTensor, options);

    /// <summary>Copies any file, with other metadata or fewer tensors.</summary>
    /// <inheritdoc cref="Alter(TinyModel, Action{GgufWriter}?, Func{string, bool}?, GgufWriterOptions?)"/>
    public static string Alter(
        string original, string name, Action<GgufWriter>? change = null, Func<string, bool>? keepTensor = null, GgufWriterOptions? options = null)
    {
        var file = GgufFile.Open(original);
        var writer = new GgufWriter(options);
        foreach (var (key, value) in file.Metadata)
        {
            writer.Set(key, value);
        }

        change?.Invoke(writer);
        using var source = File.OpenHandle(original);
        foreach (var tensor in file.Tensors.Where(tensor => keepTensor?.Invoke(tensor.Name) != false))
        {
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], (offset, destination) =>
                RandomAccess.Read(source, destination, file.DataOffset + tensor.Offset + offset));
        }

        var path = TinyModels.NewPath($"{name} altered");
        writer.Write(path);
        return path;
    }

    /// <summary>Copies a model's file, with its bytes changed.</summary>
    /// <returns>The path of the copy, which is next to the model.</returns>
    public static string AlterBytes(TinyModel model, Func<byte[], byte[]> change)
    {
        var path = TinyModels.NewPath($"{model.Name} altered");
        File.WriteAllBytes(path, change(File.ReadAllBytes(model.Path)));
        return path;
    }
}

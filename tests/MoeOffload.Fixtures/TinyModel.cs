namespace MoeOffload.Fixtures;

/// <summary>A small model with random weights and a real architecture. Its file is made when its path is first asked for.</summary>
public sealed class TinyModel
{
    private readonly Lazy<string> _path;

    internal TinyModel(string name, TinyShape shape, TinyModelOptions options, Func<TinyModel, string> make)
    {
        Name = name;
        Shape = shape;
        Options = options;
        _path = new(() => make(this));
    }

    /// <summary>A name for tests, for instance <c>gpt-oss Q8_0</c>.</summary>
    public string Name { get; }

    /// <summary>Architecture and sizes.</summary>
    public TinyShape Shape { get; }

    /// <summary>The requested options.</summary>
    public TinyModelOptions Options { get; }

    /// <summary>The file, in a folder whose name has a non-ASCII letter and a space.</summary>
    public string Path => _path.Value;

    /// <summary>Prints the name.</summary>
    public override string ToString() => Name;
}

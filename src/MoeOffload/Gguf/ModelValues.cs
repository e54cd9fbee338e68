using System.Diagnostics.CodeAnalysis;

namespace MoeOffload.Gguf;

/// <summary>Represents a model's metadata as llama.cpp reads it: with exact types, and with overrides applied.</summary>
internal sealed class ModelValues
{
    private readonly GgufModelFiles _model;
    private readonly IReadOnlyDictionary<string, MetadataValue>? _overrides;

    public ModelValues(GgufModelFiles model, IReadOnlyDictionary<string, MetadataValue>? overrides)
    {
        _model = model;
        _overrides = overrides;
        Architecture = Text(GgufKeys.Architecture) ?? throw Fail(GgufKeys.Architecture, "is missing");
    }

    public string Architecture { get; }

    public GgufMetadata Metadata => _model.Metadata;

    /// <summary>Gets the full key of a hyperparameter.</summary>
    public string Key(string name) => $"{Architecture}.{name}";

    /// <summary>Creates the exception for a value that a damaged or malicious file has.</summary>
    public GgufFormatException Fail(string subject, string what) =>
        new($"'{_model.Path}': {subject} {what}. If the file comes from a trusted source, it was damaged in transit; download it again.");

    /// <summary>Creates the exception for a file that is not damaged, but not a model that can be loaded either.</summary>
    public GgufFormatException Reject(string subject, string what) => new($"'{_model.Path}': {subject} {what}.");

    /// <summary>Gets a 32-bit hyperparameter, or <see langword="null"/> if it is missing.</summary>
    public uint? Number(string name) => NumberAt(Key(name));

    public uint? NumberAt(string key)
    {
        if (TryGetOverride<long>(key, out var number))
        {
            return (uint)number;
        }

        return TryGet(key, GgufValueType.UInt32, out var value) ? (uint)value.GetInt64(0) : null;
    }

    /// <summary>Gets a floating-point hyperparameter, or <see langword="null"/> if it is missing.</summary>
    public float? Float(string name)
    {
        if (TryGetOverride<double>(Key(name), out var number))
        {
            return (float)number;
        }

        return TryGet(Key(name), GgufValueType.Float32, out var value) ? (float)value.GetDouble(0) : null;
    }

    public bool? Flag(string key)
    {
        if (TryGetOverride<bool>(key, out var flag))
        {
            return flag;
        }

        return TryGet(key, GgufValueType.Boolean, out var value) && value.TryGetBoolean(out flag) ? flag : null;
    }

    public string? Text(string key)
    {
        if (TryGetOverride<string>(key, out var text))
        {
            return text;
        }

        return TryGet(key, GgufValueType.String, out var value) && value.TryGetString(out text) ? text : null;
    }

    /// <summary>
    /// Gets a hyperparameter that is either one number for all layers or an array with a number for each layer, or <see langword="null"/> if
    /// it is missing.
    /// </summary>
    public uint[]? PerLayer(string name, int layers)
    {
        var key = Key(name);
        if (!Metadata.TryGetValue(key, out var value))
        {
            return null;
        }

        if (!value.IsArray)
        {
            var result = new uint[layers];
            Array.Fill(result, NumberAt(key)!.Value);
            return result;
        }

        if (value.Count != layers)
        {
            throw Fail($"'{key}'", $"has {value.Count} elements, and the model has {layers} layers");
        }

        return value.ElementType switch
        {
            GgufValueType.UInt32 => value.ToArray<uint>(),
            GgufValueType.Int32 => Array.ConvertAll(value.ToArray<int>(), number => unchecked((uint)number)),
            GgufValueType.Boolean => Array.ConvertAll(value.ToArray<bool>(), flag => flag ? 1u : 0u),
            _ => throw Fail($"'{key}'", $"is an array of {value.ElementType}, not of UInt32 or Int32"),
        };
    }

    private bool TryGet(string key, GgufValueType type, out GgufValue value)
    {
        if (!Metadata.TryGetValue(key, out value))
        {
            return false;
        }

        return value.Type == type ? true : throw Fail($"'{key}'", $"is of type {value.Type}, not {type}");
    }

    private bool TryGetOverride<T>(string key, [NotNullWhen(true)] out T? value)
    {
        if (_overrides is not null && _overrides.TryGetValue(key, out MetadataValue found) && found.Value is T typed)
        {
            value = typed;
            return true;
        }

        value = default;
        return false;
    }
}

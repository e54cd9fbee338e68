namespace MoeOffload.Gguf;

/// <summary>Reads hyperparameters of a model, or the values that replace them.</summary>
internal static class Hyperparameters
{
    /// <summary>Returns an integer, or <see langword="null"/> if neither the file nor the overrides have one.</summary>
    /// <param name="metadata">The metadata of the model.</param>
    /// <param name="overrides">The values that replace those of the metadata.</param>
    /// <param name="name">The name of the hyperparameter without the architecture, such as <c>expert_used_count</c>.</param>
    public static long? FindInteger(GgufMetadata metadata, IReadOnlyDictionary<string, MetadataValue> overrides, string name)
    {
        metadata.TryGetString(GgufKeys.Architecture, out string architecture);
        string key = $"{architecture}.{name}";
        return overrides.TryGetValue(key, out MetadataValue value) && value.Value is long replaced ? replaced
            : metadata.TryGetInt64(key, out long own) ? own
            : null;
    }
}

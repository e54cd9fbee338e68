namespace MoeOffload.Gguf;

/// <summary>Checks the files of projectors, so that llama.cpp gets no values that would end the process.</summary>
internal static class ProjectorCheck
{
    /// <summary>The architecture of projectors.</summary>
    public const string Architecture = "clip";

    private const string Vision = "clip.vision.";
    private const int Most = 1 << 20;

    // llama.cpp divides by these.
    private static readonly string[] s_required =
    [
        "image_size", "patch_size", "embedding_length", "block_count", "attention.head_count", "feed_forward_length", "projection_dim",
    ];

    private static readonly string[] s_optional = ["projector.scale_factor", "spatial_merge_size", "attention.head_count_kv", "attention.head_dim", "window_size"];

    /// <summary>Determines whether a file is a projector that takes images.</summary>
    public static bool IsVision(GgufFile file) =>
        IsProjector(file) && file.Metadata.TryGetBoolean("clip.has_vision_encoder", out bool vision) && vision;

    /// <summary>Determines whether a file is a projector.</summary>
    public static bool IsProjector(GgufFile file) => file.Metadata.TryGetString(GgufKeys.Architecture, out string architecture) && architecture == Architecture;

    /// <summary>Gets the number of values in an embedding, or 0 if the file does not have it.</summary>
    public static long WidthOf(GgufFile file) => file.Metadata.TryGetInt64(Vision + "projection_dim", out long width) ? width : 0;

    /// <summary>Checks a file.</summary>
    /// <exception cref="ModelLoadException">The file is not a projector for images, or it is damaged.</exception>
    public static void Validate(GgufFile file)
    {
        if (!IsProjector(file))
        {
            throw new ModelLoadException($"'{file.Path}' is not a projector: its architecture is not '{Architecture}'. Specify the mmproj file that belongs to the model.");
        }

        GgufByteOrder machine = BitConverter.IsLittleEndian ? GgufByteOrder.LittleEndian : GgufByteOrder.BigEndian;
        if (file.ByteOrder != machine)
        {
            throw Fail(file, $"it is {file.ByteOrder}, and this machine is {machine}");
        }

        if (!IsVision(file))
        {
            throw new ModelLoadException($"'{file.Path}' is a projector without an encoder for images, and sounds are not supported.");
        }

        foreach (string name in s_required)
        {
            CheckNumber(file, name, isRequired: true);
        }

        foreach (string name in s_optional)
        {
            CheckNumber(file, name, isRequired: false);
        }

        foreach (GgufTensorInfo tensor in file.Tensors)
        {
            if (tensor.ElementCount == 0)
            {
                throw Fail(file, $"the tensor {tensor} has no elements");
            }
        }
    }

    private static void CheckNumber(GgufFile file, string name, bool isRequired)
    {
        string key = Vision + name;
        if (!file.Metadata.Contains(key))
        {
            if (isRequired)
            {
                throw Fail(file, $"it has no '{key}'");
            }

            return;
        }

        // Projectors of a few old conversions have a length of 0 for the feed-forward layers, and their tensors decide.
        long least = name == "feed_forward_length" ? 0 : 1;
        if (!file.Metadata.TryGetInt64(key, out long value) || value < least || value > Most)
        {
            throw Fail(file, $"'{key}' is not a number from {least} to {Most}");
        }
    }

    private static ModelLoadException Fail(GgufFile file, string reason) => new($"'{file.Path}' cannot be loaded as a projector: {reason}.");
}

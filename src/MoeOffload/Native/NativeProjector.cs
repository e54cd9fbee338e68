using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents a projector, the part of a model that turns images into embeddings. Only one thread at a time can encode; everything else is
/// thread-safe.
/// </summary>
internal sealed unsafe class NativeProjector : IDisposable
{
    private readonly ProjectorHandle _handle;
    private readonly ILogger _logger;

    private NativeProjector(ProjectorHandle handle, in moe_projector_info info, ILogger logger)
    {
        _handle = handle;
        _logger = logger;
        Width = info.width;
        HasVision = info.vision != 0;
        PositionCount = info.position_count;
    }

    /// <summary>Gets the number of floats in an embedding.</summary>
    public int Width { get; }

    /// <summary>Gets a value that indicates whether the projector takes images.</summary>
    public bool HasVision { get; }

    /// <summary>Gets the number of positions of an embedding, which is 4 for M-RoPE and otherwise 1.</summary>
    public int PositionCount { get; }

    /// <summary>Loads a projector whose file has been checked.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the projector, or there is not enough memory.</exception>
    public static NativeProjector Load(ModelHandle model, ProjectorSettings settings, ILogger logger)
    {
        var handle = new ProjectorHandle(model);
        try
        {
            using (NativeLog.Enter(logger))
            {
                byte* error = stackalloc byte[NativeError.BufferSize];
                moe_projector_options options = settings.ToNative();
                moe_projector* projector;
                moe_projector_info info;
                fixed (byte* path = Utf8.ToTerminated(LongPath.ForNativeCode(settings.Path), "A projector path"))
                {
                    Check(ShimApi.moe_projector_load(path, model.Pointer, &options, &projector, error, NativeError.BufferSize), error, settings.Path);
                }

                handle.Attach(projector);
                Check(ShimApi.moe_projector_describe(projector, &info, error, NativeError.BufferSize), error, settings.Path);
                return new NativeProjector(handle, info, logger);
            }
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads the memory that a projector takes, without loading its weights.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the projector.</exception>
    public static List<NativeMemoryUse> ReadMemory(ProjectorSettings settings, ILogger logger)
    {
        const int MostDevices = 16;
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_projector_options options = settings.ToNative();
        moe_memory_entry* entries = stackalloc moe_memory_entry[MostDevices];
        nuint count;
        using (NativeLog.Enter(logger))
        {
            fixed (byte* path = Utf8.ToTerminated(LongPath.ForNativeCode(settings.Path), "A projector path"))
            {
                Check(ShimApi.moe_projector_memory(path, &options, entries, MostDevices, &count, error, NativeError.BufferSize), error, settings.Path);
            }
        }

        var uses = new List<NativeMemoryUse>();
        for (int i = 0; i < Math.Min((int)count, MostDevices); i++)
        {
            moe_memory_entry* entry = entries + i;
            uses.Add(new NativeMemoryUse(
                Utf8.ToString(entry->buffer_type),
                Utf8.ToString(entry->device),
                entry->is_host != 0 || NativeDevice.IsCpu(Utf8.ToString(entry->device)),
                (long)entry->model,
                0,
                0));
        }

        return uses;
    }

    /// <summary>Tokenizes the texts of a prompt and prepares its images.</summary>
    /// <param name="parts">The parts, each of which is a text or an image.</param>
    /// <param name="parseSpecial">Whether special tokens in the texts are recognized.</param>
    /// <exception cref="InferenceException">llama.cpp rejected an image.</exception>
    public NativePrompt Tokenize(IReadOnlyList<(byte[]? Text, ImageHandle? Image)> parts, bool parseSpecial)
    {
        using HandleUse use = new(_handle);
        ThrowIfBroken();
        using var memory = new NativeMemoryScope();
        moe_prompt_part* native = memory.Allocate<moe_prompt_part>(parts.Count);
        for (int i = 0; i < parts.Count; i++)
        {
            (byte[]? text, ImageHandle? image) = parts[i];
            native[i].image = image is null ? null : image.Pointer;
            if (text is not null)
            {
                native[i].text = memory.Allocate<byte>(text.Length + 1);
                native[i].text_size = (ulong)text.Length;
                text.CopyTo(new Span<byte>(native[i].text, text.Length));
            }
        }

        NativePrompt? prompt = null;
        byte[] longest = parts.Select(part => part.Text).OfType<byte[]>().OrderByDescending(text => TokenizerStack.LongestPossibleMatch(text)).FirstOrDefault() ?? [];
        TokenizerStack.Run(longest, () => prompt = Tokenize(native, parts.Count, parseSpecial));
        foreach ((_, ImageHandle? image) in parts)
        {
            GC.KeepAlive(image);
        }

        return prompt!;
    }

    /// <summary>Computes the embeddings of an image.</summary>
    /// <param name="prompt">The prompt that has the image.</param>
    /// <param name="chunk">The index of its chunk.</param>
    /// <returns>A row of <see cref="Width"/> floats for each token.</returns>
    /// <exception cref="InferenceException">The computation failed.</exception>
    public float[] Encode(NativePrompt prompt, int chunk)
    {
        using HandleUse use = new(_handle);
        using HandleUse promptUse = new(prompt);
        ThrowIfBroken();
        using NativeLog.Scope log = NativeLog.Enter(_logger);
        float[] embeddings = new float[checked(prompt.Chunks[chunk].TokenCount * Width)];
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_status status;
        fixed (float* target = embeddings)
        {
            status = ShimApi.moe_prompt_encode(_handle.Pointer, prompt.Pointer, (nuint)chunk, target, (nuint)embeddings.Length, error, NativeError.BufferSize);
        }

        if (status == moe_status.MOE_STATUS_ABORTED)
        {
            _handle.OnAborted();
        }

        return status == moe_status.MOE_STATUS_OK
            ? embeddings
            : throw new InferenceException(NativeError.Describe("The image could not be encoded", status, error));
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private NativePrompt Tokenize(moe_prompt_part* parts, int count, bool parseSpecial)
    {
        // This can be another thread than that of the caller.
        using NativeLog.Scope log = NativeLog.Enter(_logger);
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_prompt* prompt;
        moe_status status = ShimApi.moe_prompt_tokenize(
            _handle.Pointer, parts, (nuint)count, 1, (byte)(parseSpecial ? 1 : 0), &prompt, error, NativeError.BufferSize);
        return status == moe_status.MOE_STATUS_OK
            ? new NativePrompt(prompt)
            : throw new InferenceException(NativeError.Describe("The images could not be prepared", status, error));
    }

    private static void Check(moe_status status, byte* error, string path)
    {
        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new ModelLoadException(NativeError.Describe($"The projector '{path}' could not be loaded", status, error));
        }
    }

    private void ThrowIfBroken()
    {
        if (_handle.IsBroken)
        {
            throw new InferenceException("llama.cpp aborted while the projector encoded an image, so that it cannot be used any more. Load the model again.");
        }
    }
}

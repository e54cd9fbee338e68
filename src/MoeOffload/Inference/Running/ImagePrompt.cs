using System.Globalization;
using System.Text;
using MoeOffload.Inference.Planning;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents a prompt with images: its tokens, among which a negative number stands for each embedding of an image.</summary>
internal sealed class ImagePrompt : IDisposable
{
    private readonly NativePrompt _native;
    private readonly List<ImageEncoding> _encodings = [];

    private ImagePrompt(NativePrompt native) => _native = native;

    /// <summary>Gets the tokens.</summary>
    public int[] Tokens { get; private set; } = [];

    /// <summary>Gets the images, in the order of their places.</summary>
    public IReadOnlyList<PlannedImage> Images { get; private set; } = [];

    /// <summary>Returns the number of tokens of a prompt, whose images are only decoded.</summary>
    /// <param name="model">The model.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">A token that cancels the call between two images.</param>
    /// <exception cref="NotSupportedException">The model has no projector.</exception>
    /// <inheritdoc cref="Make" path="/exception[not(@cref='T:System.NotSupportedException')]"/>
    public static int Count(LoadedModel model, GenerationRequest request, CancellationToken cancellationToken)
    {
        using ImagePrompt prompt = Make(RequireProjector(model), request, int.MaxValue, static () => { }, cancellationToken.ThrowIfCancellationRequested);
        return prompt.Tokens.Length;
    }

    /// <summary>Returns the projector of a model.</summary>
    /// <exception cref="NotSupportedException">The model has none.</exception>
    public static Projector RequireProjector(LoadedModel model) => model.Projector ?? throw new NotSupportedException(
        $"The prompt has an image, but '{model.Path}' was loaded without a projector and takes only text. Put the model's mmproj file beside it, set ModelOptions.ProjectorPath, or use a model for images.");

    /// <summary>Tokenizes a prompt and decodes its images.</summary>
    /// <param name="projector">The projector.</param>
    /// <param name="request">The request.</param>
    /// <param name="microBatchSize">The maximum number of tokens that are computed at once.</param>
    /// <param name="wake">Wakes the scheduler.</param>
    /// <param name="throwIfNotWanted">Throws if the result is no longer needed.</param>
    /// <exception cref="ArgumentException">The prompt is specified as tokens, or does not contain the text that stands for an image.</exception>
    /// <exception cref="ImageFormatException">An image cannot be decoded.</exception>
    /// <exception cref="NotSupportedException">An image does not fit into a micro-batch.</exception>
    public static ImagePrompt Make(Projector projector, GenerationRequest request, int microBatchSize, Action wake, Action throwIfNotWanted)
    {
        List<(string? Text, PromptImage? Image)> parts = Split(request);
        var decoded = new Dictionary<PromptImage, ImageHandle>();
        try
        {
            foreach ((_, PromptImage? image) in parts)
            {
                if (image is not null && !decoded.ContainsKey(image))
                {
                    throwIfNotWanted();
                    decoded.Add(image, Decode(image));
                }
            }

            (byte[]?, ImageHandle?)[] native = [.. parts.Select(part => (part.Text is null ? null : Encoding.UTF8.GetBytes(part.Text), part.Image is null ? null : decoded[part.Image]))];
            var prompt = new ImagePrompt(projector.Native.Tokenize(native, request.ParseSpecialTokens));
            try
            {
                prompt.Fill(projector, [.. parts.Select(part => part.Image).OfType<PromptImage>()], microBatchSize, wake);
                return prompt;
            }
            catch
            {
                prompt.Dispose();
                throw;
            }
        }
        finally
        {
            foreach (ImageHandle handle in decoded.Values)
            {
                handle.Dispose();
            }
        }
    }

    /// <summary>Releases the images, also while one is being encoded.</summary>
    public void Dispose()
    {
        _encodings.ForEach(encoding => encoding.Dispose());
        _native.Dispose();
    }

    private static ImageHandle Decode(PromptImage image) =>
        ImageHandle.Decode(image.Data.Span, PromptImage.MaxPixelCount, out string? reason)
        ?? throw new ImageFormatException($"The image ({image.Data.Length} bytes) cannot be decoded: {reason}.");

    private static List<(string? Text, PromptImage? Image)> Split(GenerationRequest request)
    {
        if (request.PromptTokens is not null)
        {
            throw new ArgumentException("A prompt with images cannot be specified as tokens. Specify Prompt instead of PromptTokens.", nameof(request));
        }

        var parts = new List<(string? Text, PromptImage? Image)>();
        var found = new HashSet<string>(StringComparer.Ordinal);
        string text = request.Prompt;
        for (int start = 0; start < text.Length;)
        {
            (int at, string mark) = FindMark(text, start, request.Images.Keys);
            if (at > start)
            {
                parts.Add((text[start..at], null));
            }

            if (mark.Length > 0)
            {
                parts.Add((null, request.Images[mark] ?? throw new ArgumentNullException(nameof(GenerationRequest.Images))));
                found.Add(mark);
            }

            start = at + mark.Length;
        }

        return request.Images.Keys.FirstOrDefault(mark => !found.Contains(mark)) is not { } missing
            ? parts
            : throw new ArgumentException($"The prompt does not contain '{missing}', which stands for an image.", nameof(request));
    }

    private static (int At, string Mark) FindMark(string text, int start, IEnumerable<string> marks)
    {
        (int At, string Mark) first = (text.Length, string.Empty);
        foreach (string mark in marks)
        {
            int at = mark.Length == 0 ? -1 : text.IndexOf(mark, start, StringComparison.Ordinal);
            if (at >= 0 && (at < first.At || (at == first.At && mark.Length > first.Mark.Length)))
            {
                first = (at, mark);
            }
        }

        return first;
    }

    private void Fill(Projector projector, PromptImage[] images, int microBatchSize, Action wake)
    {
        var tokens = new List<int>();
        var planned = new List<PlannedImage>();
        var parts = new int[images.Length];
        for (int chunk = 0; chunk < _native.Chunks.Count; chunk++)
        {
            NativePromptChunk own = _native.Chunks[chunk];
            if (own.Image is not { } image)
            {
                tokens.AddRange(_native.ReadTokens(chunk));
                continue;
            }

            if (!own.IsCausal && own.TokenCount > microBatchSize)
            {
                throw new NotSupportedException(
                    $"An image of this model has {own.TokenCount} tokens, which must be computed at once, but a micro-batch has room for {microBatchSize}. Increase ContextOptions.MicroBatchSize and BatchSize.");
            }

            // Some models see an image as several parts.
            string key = string.Create(CultureInfo.InvariantCulture, $"{images[image].Hash}/{parts[image]++}/{own.TokenCount}/{own.PositionCount}");
            var encoding = new ImageEncoding(projector, _native, chunk, wake);
            _encodings.Add(encoding);
            planned.Add(new PlannedImage(new ImageShape(tokens.Count, own.TokenCount, own.PositionCount), own.IsCausal, encoding));
            tokens.AddRange(Enumerable.Repeat(projector.Numbers.Get(key), own.TokenCount));
        }

        Tokens = [.. tokens];
        Images = planned;
    }
}

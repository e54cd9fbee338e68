using System.Text;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Preparation;
using MoeOffload.Inference.Sampling;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Creates the generations of a session.</summary>
/// <param name="scheduler">The scheduler that runs them.</param>
/// <param name="model">The model of the session.</param>
/// <param name="sequenceLength">The maximum number of tokens in a sequence.</param>
/// <param name="microBatchSize">The maximum number of tokens that are computed at once.</param>
/// <param name="isDivided"><see langword="true"/> if the context is longer than a sequence, because it is divided among them.</param>
/// <param name="canShift"><see langword="true"/> if the KV cache supports shifting.</param>
/// <param name="logger">The logger for messages of llama.cpp.</param>
internal sealed class GenerationFactory(
    Scheduler scheduler, LoadedModel model, int sequenceLength, int microBatchSize, bool isDivided, bool canShift, ILogger logger)
{
    /// <summary>
    /// Creates the generation of a request whose limits are already validated, and connects it to a channel. The time this takes grows with
    /// the input.
    /// </summary>
    /// <param name="source">The request.</param>
    /// <param name="channel">The channel to the reader.</param>
    /// <exception cref="ArgumentException">
    /// The grammar is not valid, or the prompt has no tokens or contains a token that is not in the vocabulary.
    /// </exception>
    /// <exception cref="NotSupportedException">The prompt has an image, and the model or the session does not support images.</exception>
    /// <exception cref="ImageFormatException">An image cannot be decoded.</exception>
    /// <exception cref="ContextFullException">The prompt is longer than a sequence.</exception>
    /// <exception cref="OperationCanceledException">The channel was canceled or ended between two parts of the work.</exception>
    public Generation Make(IRequestSource source, TokenChannel channel)
    {
        // The session and the model could be disposed in the meantime.
        using HandleUse use = new(model.Native.Handle);
        using NativeLog.Scope log = NativeLog.Enter(logger);
        GenerationRequest request = source.Complete();
        channel.ThrowIfNotWanted();
        request.ValidateContent();
        channel.ThrowIfNotWanted();
        NativeVocabulary vocabulary = model.Native.Vocabulary;
        ImagePrompt? images = request.Images.Count > 0 ? MakeImages(request, channel.ThrowIfNotWanted) : null;
        try
        {
            int[] prompt = CheckLength(images?.Tokens ?? Prompt(request, vocabulary));
            channel.ThrowIfNotWanted();
            TokenPieces pieces = Pieces(request, vocabulary);
            NativeSampler sampler = SamplerBuilder.Build(vocabulary, request.Sampling ?? new SamplingOptions(), request.Format);
            return new Generation(scheduler, channel, request, prompt, sampler, pieces, vocabulary, images);
        }
        catch
        {
            images?.Dispose();
            throw;
        }
    }

    /// <summary>Returns the tokens of a prompt with images, among which a negative number stands for each embedding of an image.</summary>
    public int[] TokenizeImages(GenerationRequest request)
    {
        using ImagePrompt prompt = MakeImages(request, static () => { });
        return prompt.Tokens;
    }

    /// <summary>Rejects a request for a shift that is not possible.</summary>
    /// <exception cref="NotSupportedException">The KV cache does not support shifting.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The shift would keep all tokens.</exception>
    public void CheckShift(GenerationRequest request)
    {
        if (request.ContextFull != ContextFullAction.Shift)
        {
            return;
        }

        if (!canShift)
        {
            throw new NotSupportedException(
                $"The KV cache of {model.Info.Architecture} cannot be shifted with these options. Set GenerationRequest.ContextFull to Stop or Error.");
        }

        if (request.KeepTokens is { } keep)
        {
            OptionRange.Check(keep, 0, sequenceLength - 2, nameof(GenerationRequest.KeepTokens), "some tokens must be left to remove");
        }
    }

    private static int[] Prompt(GenerationRequest request, NativeVocabulary vocabulary)
    {
        int[] prompt = request.PromptTokens is { } tokens
            ? TokenCheck.Copy(tokens, vocabulary.Size, nameof(GenerationRequest.PromptTokens))
            : vocabulary.Tokenize(Encoding.UTF8.GetBytes(request.Prompt), addSpecial: true, request.ParseSpecialTokens);
        return prompt.Length > 0 ? prompt : throw new ArgumentException("The prompt has no tokens. Specify a prompt that is not empty.", nameof(request));
    }

    private ImagePrompt MakeImages(GenerationRequest request, Action throwIfNotWanted)
    {
        Projector projector = ImagePrompt.RequireProjector(model);
        if (!scheduler.SupportsImages)
        {
            throw new NotSupportedException(
                "The prompt has an image, and a session that drafts tokens with the model's own layers does not support images. Leave ContextOptions.Speculation null.");
        }

        return ImagePrompt.Make(projector, request, microBatchSize, scheduler.Wake, throwIfNotWanted);
    }

    private int[] CheckLength(int[] prompt)
    {
        return prompt.Length <= sequenceLength
            ? prompt
            : throw new ContextFullException(
                $"The prompt has {prompt.Length} tokens, but the context has room for {sequenceLength} per sequence. Shorten the prompt, or increase "
                + $"ContextOptions.ContextLength{(isDivided ? ", which is divided by SequenceCount" : string.Empty)}.")
            {
                PromptTokens = prompt.Length,
                MaxPromptTokens = sequenceLength,
            };
    }

    // In a chat, the special tokens of its format are part of the text, except for the one that ends the answer.
    private TokenPieces Pieces(GenerationRequest request, NativeVocabulary vocabulary)
    {
        TokenPieces pieces = model.Pieces(request.RenderSpecialTokens);
        IReadOnlyList<string> preserved = request.Format?.PreservedTokens ?? [];
        return preserved.Count == 0
            ? pieces
            : pieces.With(
                model.Pieces(special: true),
                [
                    .. preserved.Select(text => vocabulary.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: false, parseSpecial: true))
                        .Where(tokens => tokens.Length == 1 && !vocabulary.IsEndOfGeneration(tokens[0]))
                        .Select(tokens => tokens[0]),
                ]);
    }
}

using System.Globalization;
using MoeOffload.Embeddings;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Represents the model that embeds the texts of a request, independently of the API.</summary>
internal sealed class EmbeddingModel : IDisposable
{
    private readonly ApiRequest _request;
    private readonly ModelLease _lease;
    private readonly Embedder _embedder;

    private EmbeddingModel(ApiRequest request, ModelLease lease, Embedder embedder)
    {
        _request = request;
        _lease = lease;
        _embedder = embedder;
        LoadTime = request.Elapsed;
    }

    /// <summary>Gets the name of the model in the catalog.</summary>
    public string ModelName => _lease.Name;

    /// <summary>Gets the number of dimensions of an embedding.</summary>
    public int Dimension => _embedder.Dimension;

    /// <summary>Gets the maximum number of tokens of a text.</summary>
    public int MaxTokens => _embedder.MaxTokens;

    /// <summary>Gets the time that the request waited for the model.</summary>
    public TimeSpan LoadTime { get; }

    /// <summary>Acquires a model that embeds.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The name of the model, or <see langword="null"/> to use the default model.</param>
    /// <exception cref="ApiException">There is no model with this name, or it cannot embed texts.</exception>
    public static async Task<EmbeddingModel> AcquireAsync(ApiRequest request, string? model)
    {
        ModelLease lease = await request.AcquireAsync(model).ConfigureAwait(false);
        try
        {
            return new EmbeddingModel(request, lease, await lease.GetEmbedderAsync(request.Cancellation).ConfigureAwait(false));
        }
        catch (NotSupportedException error)
        {
            lease.Dispose();
            throw new ApiException(400, "invalid_request_error", "unsupported", error.Message, "model", error);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Splits a text into tokens.</summary>
    public int[] Tokenize(string text) => _lease.Model.Vocabulary.Tokenize(text, parseSpecial: _request.Models.Options.Embedding.ParseSpecialTokens);

    /// <summary>Embeds texts.</summary>
    /// <param name="texts">The tokens of each text.</param>
    /// <exception cref="ApiException">A text is empty or too long, or has a token that is outside the vocabulary.</exception>
    public async Task<IReadOnlyList<TextEmbedding>> EmbedAsync(int[][] texts)
    {
        foreach (int[] text in texts)
        {
            Check(text);
        }

        IReadOnlyList<TextEmbedding> embeddings = await _embedder.EmbedAsync(texts, _request.Cancellation).ConfigureAwait(false);
        _request.CountEmbedded(embeddings.Sum(embedding => embedding.TokenCount));
        return embeddings;
    }

    public void Dispose() => _lease.Dispose();

    /// <summary>Keeps the first dimensions of a vector, and gives it the length 1 again. Models that are trained for it keep their meaning.</summary>
    public static ReadOnlyMemory<float> Shorten(ReadOnlyMemory<float> vector, int? dimensions)
    {
        if (dimensions is not { } wanted || wanted >= vector.Length)
        {
            return vector;
        }

        float[] shorter = vector[..wanted].ToArray();
        double length = Math.Sqrt(shorter.Sum(value => (double)value * value));
        return length > 0 ? Array.ConvertAll(shorter, value => (float)(value / length)) : shorter;
    }

    private void Check(int[] text)
    {
        if (text.Length == 0)
        {
            throw ApiException.Invalid("A text has no tokens. Send a text that is not empty.");
        }

        int size = _lease.Model.Vocabulary.Size;
        int wrong = Array.FindIndex(text, token => token < 0 || token >= size);
        if (wrong >= 0)
        {
            throw ApiException.Invalid(string.Create(
                CultureInfo.InvariantCulture, $"Token {text[wrong]} at position {wrong} of a text is outside the vocabulary of {size} tokens."));
        }

        _request.CheckPrompt(text.Length);
    }
}

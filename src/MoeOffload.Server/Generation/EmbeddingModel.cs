using System.Globalization;
using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>Represents a model that embeds the texts of a request: what every API does to embed, whatever it then makes of the result.</summary>
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

    /// <summary>Gets the model's name in the catalog.</summary>
    public string ModelName => _lease.Name;

    /// <summary>Gets the numbers of an embedding.</summary>
    public int Dimension => _embedder.Dimension;

    /// <summary>Gets the most tokens of a text.</summary>
    public int MaxTokens => _embedder.MaxTokens;

    /// <summary>Gets how long the request had to wait for the model.</summary>
    public TimeSpan LoadTime { get; }

    /// <summary>Acquires a model that embeds.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The model's name; null for the default one.</param>
    /// <exception cref="ApiException">There is no such model, or it cannot embed texts.</exception>
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
    /// <param name="texts">The tokens of each.</param>
    /// <exception cref="ApiException">One is empty, too long, or has a token that the model does not know.</exception>
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

    private void Check(int[] text)
    {
        if (text.Length == 0)
        {
            throw ApiException.Invalid("A text has no token: give it some text.");
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

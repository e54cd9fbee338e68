using MoeOffload.Embeddings;

namespace MoeOffload.Server.Ollama;

/// <summary>Ollama's <c>POST /api/embed</c>, and <c>/api/embeddings</c> as it was before.</summary>
internal static class EmbedEndpoint
{
    private const int MostTexts = 2048;

    public static async Task HandleAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string? model = body.Text("model");
        IReadOnlyList<string> texts = body.Has("input") ? body.Texts("input") : throw body.Missing("input");
        bool cuts = body.Flag("truncate") ?? true;
        int? dimensions = body.Integer("dimensions", 1);
        if (texts.Count > MostTexts)
        {
            throw ApiException.Invalid($"'input' has {texts.Count} texts, the server takes {MostTexts} at once: send them in parts.", "input");
        }

        using ModelLease lease = await request.AcquireAsync(model).ConfigureAwait(false);
        TimeSpan load = request.Elapsed;
        IReadOnlyList<TextEmbedding> embeddings = await EmbedAsync(request, lease, texts, cuts).ConfigureAwait(false);
        var answer = new EmbedAnswer(
            lease.Name,
            [.. embeddings.Select(embedding => Shorten(embedding.Vector, dimensions))],
            OllamaFigures.Nanoseconds(request.Elapsed),
            OllamaFigures.Nanoseconds(load),
            embeddings.Sum(embedding => embedding.TokenCount));
        await request.WriteJsonAsync(answer, OllamaJson.Default.EmbedAnswer).ConfigureAwait(false);
    }

    public static async Task HandleFormerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        using ModelLease lease = await request.AcquireAsync(body.Text("model")).ConfigureAwait(false);
        IReadOnlyList<TextEmbedding> embeddings = await EmbedAsync(request, lease, [body.RequiredText("prompt")], cuts: true).ConfigureAwait(false);
        await request.WriteJsonAsync(new EmbeddingAnswer(embeddings[0].Vector), OllamaJson.Default.EmbeddingAnswer).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<TextEmbedding>> EmbedAsync(ApiRequest request, ModelLease lease, IReadOnlyList<string> texts, bool cuts)
    {
        Embedder embedder = await lease.GetEmbedderAsync(request.Cancellation).ConfigureAwait(false);
        bool parses = request.Options.Embedding.ParseSpecialTokens;
        int[][] tokens = [.. texts.Select(text => lease.Model.Vocabulary.Tokenize(text, parseSpecial: parses)).Select(text => cuts ? Cut(text, embedder.MaxTokens) : text)];
        foreach (int[] text in tokens)
        {
            request.CheckPrompt(text.Length);
        }

        IReadOnlyList<TextEmbedding> embeddings = await embedder.EmbedAsync(tokens, request.Cancellation).ConfigureAwait(false);
        request.CountEmbedded(embeddings.Sum(embedding => embedding.TokenCount));
        return embeddings;
    }

    private static int[] Cut(int[] tokens, int most) => tokens.Length > most ? tokens[..most] : tokens;

    private static ReadOnlyMemory<float> Shorten(ReadOnlyMemory<float> vector, int? dimensions)
    {
        if (dimensions is not { } wanted || wanted >= vector.Length)
        {
            return vector;
        }

        float[] shorter = vector[..wanted].ToArray();
        double length = Math.Sqrt(shorter.Sum(value => (double)value * value));
        return length > 0 ? Array.ConvertAll(shorter, value => (float)(value / length)) : shorter;
    }
}

using MoeOffload.Embeddings;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Handles Ollama's <c>POST /api/embed</c> and its predecessor <c>/api/embeddings</c>.</summary>
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
        FieldTables.OllamaEmbed.Apply(body);
        request.EndReading();
        if (texts.Count > MostTexts)
        {
            throw ApiException.Invalid($"'input' has {texts.Count} texts, but the server accepts at most {MostTexts} in a request. Send several requests.", "input");
        }

        using EmbeddingModel embedding = await EmbeddingModel.AcquireAsync(request, model).ConfigureAwait(false);
        IReadOnlyList<TextEmbedding> embeddings = await EmbedAsync(embedding, texts, cuts).ConfigureAwait(false);
        var answer = new EmbedAnswer(
            embedding.ModelName,
            [.. embeddings.Select(embedded => EmbeddingModel.Shorten(embedded.Vector, dimensions))],
            OllamaFigures.Nanoseconds(request.Elapsed),
            OllamaFigures.Nanoseconds(embedding.LoadTime),
            embeddings.Sum(embedded => embedded.TokenCount));
        await request.WriteJsonAsync(answer, OllamaJson.Default.EmbedAnswer).ConfigureAwait(false);
    }

    public static async Task HandleFormerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string prompt = body.RequiredText("prompt");
        string? model = body.Text("model");
        int? dimensions = body.Integer("dimensions", 1);
        FieldTables.OllamaEmbed.Apply(body);
        request.EndReading();
        using EmbeddingModel embedding = await EmbeddingModel.AcquireAsync(request, model).ConfigureAwait(false);
        IReadOnlyList<TextEmbedding> embeddings = await EmbedAsync(embedding, [prompt], cuts: true).ConfigureAwait(false);
        await request.WriteJsonAsync(new EmbeddingAnswer(EmbeddingModel.Shorten(embeddings[0].Vector, dimensions)), OllamaJson.Default.EmbeddingAnswer).ConfigureAwait(false);
    }

    private static Task<IReadOnlyList<TextEmbedding>> EmbedAsync(EmbeddingModel embedding, IReadOnlyList<string> texts, bool cuts) =>
        embedding.EmbedAsync([.. texts.Select(embedding.Tokenize).Select(text => cuts ? Cut(text, embedding.MaxTokens) : text)]);

    private static int[] Cut(int[] tokens, int most) => tokens.Length > most ? tokens[..most] : tokens;
}

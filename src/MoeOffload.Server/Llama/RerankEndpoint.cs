using System.Text.Json;
using MoeOffload.Embeddings;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Llama;

/// <summary>
/// Handles <c>/v1/rerank</c> of llama.cpp's server, in the formats of Jina and Cohere (<c>documents</c>) and of Text Embeddings Inference
/// (<c>texts</c>).
/// </summary>
internal static class RerankEndpoint
{
    private const int MostDocuments = 2048;

    public static async Task AnswerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string? model = body.Text("model");
        string query = body.RequiredText("query");
        bool isInference = body.Has("texts");
        string name = isInference ? "texts" : "documents";
        string[] documents = [.. (body.Items(name) ?? throw body.Missing(name)).Select(item => ReadDocument(body, item.Value, item.Path))];
        int most = body.Integer("top_n", 1) ?? body.Integer("top_k", 1) ?? documents.Length;
        bool returnsTexts = (body.Flag("return_documents") ?? false) || (body.Flag("return_text") ?? false);
        body.Ignore("user", "truncate", "truncation_direction", "raw_scores", "max_chunks_per_doc", "max_tokens_per_doc", "rank_fields", "priority");
        request.EndReading();
        request.PromptField = name;
        if (documents.Length is 0 or > MostDocuments)
        {
            throw ApiException.Invalid($"'{name}' must have 1 to {MostDocuments} documents.", name);
        }

        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(model)).ConfigureAwait(false);
        IReadOnlyList<DocumentScore> scores = await RankAsync(request, lease, query, documents).ConfigureAwait(false);
        int tokens = scores.Sum(score => score.TokenCount);
        request.CountEmbedded(tokens);
        IEnumerable<DocumentScore> best = scores.Take(most);
        await (isInference
            ? request.WriteJsonAsync(
                [.. best.Select(score => new InferenceScoreBody(score.Index, score.Score, returnsTexts ? documents[score.Index] : null))], LlamaJson.Default.InferenceScoreBodyArray)
            : request.WriteJsonAsync(
                new RankingBody(
                    lease.Name,
                    "list",
                    new RankingUsage(tokens, tokens),
                    [.. best.Select(score => new RankedDocumentBody(score.Index, score.Score, returnsTexts ? new DocumentBody(documents[score.Index]) : null))]),
                LlamaJson.Default.RankingBody)).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<DocumentScore>> RankAsync(ApiRequest request, ModelLease lease, string query, string[] documents)
    {
        Reranker reranker;
        try
        {
            reranker = await lease.GetRerankerAsync(request.Cancellation).ConfigureAwait(false);
        }
        catch (NotSupportedException error)
        {
            // As in llama.cpp's server.
            throw new ApiException(501, "not_supported_error", "unsupported_model", $"This model does not support reranking: {error.Message}", "model", error);
        }

        try
        {
            return await reranker.RerankAsync(query, documents, request.Cancellation).ConfigureAwait(false);
        }
        catch (ArgumentException error) when (error is not ArgumentNullException)
        {
            throw ApiException.Invalid("A query and a document together have no tokens. Send texts that are not empty.", request.PromptField);
        }
    }

    private static string ReadDocument(JsonFields body, JsonElement document, string path) =>
        document.ValueKind == JsonValueKind.Object ? body.Part(document, path).RequiredText("text") : JsonFields.TextOf(document, path);
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;
using MoeOffload.Server.Models;
using MoeOffload.Server.OpenAI;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.Llama;

/// <summary>
/// Maps the native endpoints of llama.cpp's server: <c>/tokenize</c>, <c>/detokenize</c>, <c>/apply-template</c>, <c>/props</c>,
/// <c>/slots</c>, <c>/infill</c> and <c>/rerank</c>. That server has one model, so a request can leave out its name if there is no choice.
/// </summary>
internal static class LlamaEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Post("/tokenize", OpenAIErrors.Format, TokenizeAsync);
        routes.Post("/detokenize", OpenAIErrors.Format, DetokenizeAsync);
        routes.Post("/apply-template", OpenAIErrors.Format, ApplyTemplateAsync);
        routes.Post("/infill", OpenAIErrors.Format, FillEndpoint.AnswerAsync);
        foreach (string path in (string[])["/rerank", "/reranking", "/v1/rerank", "/v1/reranking"])
        {
            routes.Post(path, OpenAIErrors.Format, RerankEndpoint.AnswerAsync);
        }

        routes.Map("GET", "/props", OpenAIErrors.Format, PropsAsync, ApiAccess.Work);
        routes.Map("GET", "/slots", OpenAIErrors.Format, SlotsAsync, ApiAccess.Work);
    }

    private static async Task TokenizeAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        JsonElement content = body.Any("content") ?? throw body.Missing("content");
        bool addSpecial = body.Flag("add_special") ?? false;
        bool parseSpecial = body.Flag("parse_special") ?? true;
        bool withPieces = body.Flag("with_pieces") ?? false;
        string? model = body.Text("model");
        request.EndReading();
        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(model)).ConfigureAwait(false);
        Vocabulary vocabulary = lease.Model.Vocabulary;
        int[] tokens = ClientInput.Check(() => Tokenize(vocabulary, content, addSpecial, parseSpecial), "content");
        await request.WriteJsonAsync(
            new TokensBody([.. tokens.Select(token => withPieces ? new JsonObject { ["id"] = token, ["piece"] = Piece(vocabulary, token) } : (JsonNode)token)]),
            LlamaJson.Default.TokensBody).ConfigureAwait(false);
    }

    private static async Task DetokenizeAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        int[] tokens =
        [
            .. (body.Items("tokens") ?? throw body.Missing("tokens")).Select(item =>
                item.Value.ValueKind == JsonValueKind.Number && item.Value.TryGetInt32(out int token) ? token : throw JsonFields.Wrong(item.Path, "a token's id", item.Path)),
        ];
        string? model = body.Text("model");
        request.EndReading();
        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(model)).ConfigureAwait(false);
        string text = ClientInput.Check(() => lease.Model.Vocabulary.Detokenize(tokens, renderSpecial: true), "tokens");
        await request.WriteJsonAsync(new TextBody(text), LlamaJson.Default.TextBody).ConfigureAwait(false);
    }

    private static async Task ApplyTemplateAsync(ApiRequest request)
    {
        var chat = ChatCompletionRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request);
        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(chat.Model)).ConfigureAwait(false);
        RenderedChat rendered = ClientInput.Check(() => lease.Model.ChatTemplate.Render(ChatPreparation.Apply(chat.Messages, chat.Options, request, lease.Model), chat.Options));
        await request.WriteJsonAsync(new PromptBody(rendered.Prompt), LlamaJson.Default.PromptBody).ConfigureAwait(false);
    }

    private static async Task PropsAsync(ApiRequest request)
    {
        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(request.Http.Request.Query["model"])).ConfigureAwait(false);
        MoeModel model = lease.Model;
        SamplingOptions sampling = request.Options.Sampling;
        ChatTemplateCapabilities capabilities = model.ChatTemplate.Capabilities;
        await request.WriteJsonAsync(
            new PropsBody(
                new DefaultSettings(
                    lease.CanGenerate ? lease.Session.SequenceLength : 0,
                    new SamplingBody(
                        sampling.Temperature,
                        sampling.TopK,
                        sampling.TopP,
                        sampling.MinP,
                        sampling.TypicalP,
                        sampling.Seed ?? uint.MaxValue,
                        request.Limits.MaxTokens ?? -1)),
                lease.CanGenerate ? lease.Session.SequenceCount : 0,
                lease.Name,
                Path.GetFileName(model.Path),
                new Modalities(model.Info.SupportsVision, false),
                model.ChatTemplate.Source,
                new TemplateCapabilities(capabilities.SystemRole, capabilities.Tools, capabilities.ToolCalls, capabilities.ParallelToolCalls),
                TextOf(model.Vocabulary, model.Vocabulary.BeginningOfSequence),
                TextOf(model.Vocabulary, model.Vocabulary.EndOfSequence),
                Fingerprint.Value),
            LlamaJson.Default.PropsBody).ConfigureAwait(false);
    }

    private static async Task SlotsAsync(ApiRequest request)
    {
        using ModelLease lease = await request.AcquireAsync(request.OnlyModel(request.Http.Request.Query["model"])).ConfigureAwait(false);
        GenerationSession? session = lease.CanGenerate ? lease.Session : null;
        int running = session?.Statistics.RunningCount ?? 0;
        SlotBody[] slots =
        [
            .. Enumerable.Range(0, session?.SequenceCount ?? 0)
                .Select(id => new SlotBody(id, session!.SequenceLength, request.Models.Options.Context.Speculation is not null, id < running)),
        ];
        await request.WriteJsonAsync(slots, LlamaJson.Default.SlotBodyArray).ConfigureAwait(false);
    }

    // A content can be a text, or a list of texts and tokens.
    private static int[] Tokenize(Vocabulary vocabulary, JsonElement content, bool addSpecial, bool parseSpecial)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            return vocabulary.Tokenize(JsonFields.TextOf(content, "content"), addSpecial, parseSpecial);
        }

        var tokens = new List<int>();
        foreach (JsonElement item in content.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int token))
            {
                tokens.Add(token);
            }
            else
            {
                tokens.AddRange(vocabulary.Tokenize(JsonFields.TextOf(item, "content"), addSpecial && tokens.Count == 0, parseSpecial));
            }
        }

        return [.. tokens];
    }

    // A token can be a part of a code point, which is then a list of bytes.
    private static JsonNode Piece(Vocabulary vocabulary, int token)
    {
        ReadOnlyMemory<byte> piece = vocabulary.GetPiece(token);
        return Utf8.IsValid(piece.Span) ? Encoding.UTF8.GetString(piece.Span) : new JsonArray([.. piece.ToArray().Select(value => (JsonNode)(int)value)]);
    }

    private static string TextOf(Vocabulary vocabulary, int? token) => token is { } id ? Encoding.UTF8.GetString(vocabulary.GetPiece(id).Span) : string.Empty;
}

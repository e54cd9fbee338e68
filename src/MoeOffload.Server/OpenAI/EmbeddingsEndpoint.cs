using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using MoeOffload.Embeddings;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/embeddings</c>.</summary>
internal static class EmbeddingsEndpoint
{
    public static async Task AnswerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        request.PromptField = "input";
        string? model = body.Text("model");
        IReadOnlyList<PromptInput> inputs = PromptInput.Read(body, "input");
        bool isBase64 = body.Word("encoding_format", "float", "base64") == "base64";
        int? dimensions = body.Integer("dimensions", 1);
        FieldTables.Embeddings.Apply(body);
        request.EndReading();

        using EmbeddingModel embedding = await EmbeddingModel.AcquireAsync(request, model).ConfigureAwait(false);
        if (dimensions > embedding.Dimension)
        {
            throw ApiException.Invalid($"'dimensions' must be at most {embedding.Dimension}, the model's own number of dimensions.", "dimensions");
        }

        int[][] texts = [.. inputs.Select(input => input.Tokens ?? embedding.Tokenize(input.Text!))];
        IReadOnlyList<TextEmbedding> embeddings = await embedding.EmbedAsync(texts).ConfigureAwait(false);
        await request.WriteAsync(Write(embeddings, dimensions, embedding.ModelName, isBase64)).ConfigureAwait(false);
    }

    private static ReadOnlyMemory<byte> Write(IReadOnlyList<TextEmbedding> embeddings, int? dimensions, string model, bool isBase64)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            for (int i = 0; i < embeddings.Count; i++)
            {
                json.WriteStartObject();
                json.WriteString("object", "embedding");
                json.WriteNumber("index", i);
                json.WritePropertyName("embedding");
                WriteVector(json, EmbeddingModel.Shorten(embeddings[i].Vector, dimensions).Span, isBase64);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("model", model);
            int tokens = embeddings.Sum(embedding => embedding.TokenCount);
            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", tokens);
            json.WriteNumber("total_tokens", tokens);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void WriteVector(Utf8JsonWriter json, ReadOnlySpan<float> vector, bool isBase64)
    {
        // The bytes must be little-endian, which all machines that .NET supports are.
        if (isBase64)
        {
            json.WriteBase64StringValue(MemoryMarshal.AsBytes(vector));
            return;
        }

        json.WriteStartArray();
        foreach (float value in vector)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}

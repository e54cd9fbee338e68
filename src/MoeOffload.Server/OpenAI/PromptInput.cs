using System.Text.Json;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Represents a prompt, given as text or as tokens.</summary>
internal sealed record PromptInput(string? Text, int[]? Tokens)
{
    private const int MostInputs = 2048;

    /// <summary>Reads a text, an array of tokens, or an array of texts or arrays of tokens.</summary>
    public static IReadOnlyList<PromptInput> Read(JsonFields body, string name)
    {
        JsonElement value = body.Any(name) ?? throw body.Missing(name);
        if (value.ValueKind == JsonValueKind.String)
        {
            return [new PromptInput(JsonFields.TextOf(value, body.PathOf(name)), null)];
        }

        IReadOnlyList<(JsonElement Value, string Path)> items = body.Items(name)!;
        if (items.Count == 0)
        {
            throw ApiException.Invalid($"'{name}' is empty.", name, "empty_array");
        }

        if (items[0].Value.ValueKind == JsonValueKind.Number)
        {
            return [ReadTokens(value, body.PathOf(name))];
        }

        return items.Count <= MostInputs
            ? [.. items.Select(item => item.Value.ValueKind == JsonValueKind.Array
                ? ReadTokens(item.Value, item.Path)
                : new PromptInput(JsonFields.TextOf(item.Value, item.Path), null))]
            : throw ApiException.Invalid($"'{name}' has {items.Count} texts, but the server accepts at most {MostInputs} in a request.", name);
    }

    private static PromptInput ReadTokens(JsonElement array, string path)
    {
        int[] tokens = new int[array.GetArrayLength()];
        int count = 0;
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out tokens[count]))
            {
                throw JsonFields.Wrong($"{path}[{count}]", "a token's id", path);
            }

            count++;
        }

        return new PromptInput(null, tokens);
    }
}

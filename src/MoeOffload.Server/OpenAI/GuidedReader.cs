using System.Text;
using System.Text.Json;
using MoeOffload.Schemas;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the constraints of an answer, under OpenAI's name, <c>response_format</c>, and those of other servers.</summary>
internal static class GuidedReader
{
    /// <summary>Reads the constraints of an answer: a schema, a grammar, or none.</summary>
    /// <exception cref="ApiException">A constraint is malformed or not supported, or there are several.</exception>
    public static (JsonSchema? Schema, string? Grammar) Read(JsonFields body)
    {
        var found = new List<(string Name, JsonSchema? Schema, string? Grammar)>();
        if (ToolReader.ReadFormat(body.Object("response_format"), isFlat: false) is { } format)
        {
            found.Add(("response_format", format, null));
        }

        // llama.cpp's name of a schema.
        AddSchema(found, body, "json_schema");
        AddGuided(found, body, "guided_");
        if (body.Object("structured_outputs") is { } structured)
        {
            AddGuided(found, structured, string.Empty);
        }

        return found.Count switch
        {
            0 => (null, null),
            1 => (found[0].Schema, found[0].Grammar),
            _ => throw ApiException.Invalid($"'{found[0].Name}' and '{found[1].Name}' both constrain the answer. Send one of them.", found[1].Name),
        };
    }

    // These are vLLM's names, in their former and in their present form.
    private static void AddGuided(List<(string Name, JsonSchema? Schema, string? Grammar)> found, JsonFields fields, string prefix)
    {
        AddSchema(found, fields, $"{prefix}json");
        if (fields.Flag($"{prefix}json_object") == true)
        {
            found.Add((fields.PathOf($"{prefix}json_object"), ToolReader.AnyObject, null));
        }

        if (fields.Has($"{prefix}choice"))
        {
            found.Add((fields.PathOf($"{prefix}choice"), null, ToGrammar(fields.Texts($"{prefix}choice"), fields.PathOf($"{prefix}choice"))));
        }

        if (fields.Text($"{prefix}grammar") is { Length: > 0 } grammar)
        {
            found.Add((fields.PathOf($"{prefix}grammar"), null, grammar));
        }

        fields.Refuse($"{prefix}regex", $"use {prefix}json, {prefix}choice, or a grammar in GBNF as 'grammar'");
        fields.Refuse($"{prefix}structural_tag", "use tools");
        fields.Know($"{prefix}decoding_backend", $"{prefix}whitespace_pattern", $"{prefix}disable_any_whitespace");
    }

    private static void AddSchema(List<(string Name, JsonSchema? Schema, string? Grammar)> found, JsonFields fields, string name)
    {
        if (fields.Any(name) is not { } value)
        {
            return;
        }

        string path = fields.PathOf(name);
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        found.Add((path, ToolReader.Parse(text, path), null));
    }

    private static string ToGrammar(IReadOnlyList<string> choices, string path)
    {
        if (choices.Count == 0)
        {
            throw ApiException.Invalid($"'{path}' is empty: name at least one choice.", path, "empty_array");
        }

        var grammar = new StringBuilder("root ::= ");
        for (int i = 0; i < choices.Count; i++)
        {
            grammar.Append(i == 0 ? "\"" : " | \"");
            foreach (char character in choices[i])
            {
                grammar.Append(character switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ => character.ToString(),
                });
            }

            grammar.Append('"');
        }

        return grammar.ToString();
    }
}

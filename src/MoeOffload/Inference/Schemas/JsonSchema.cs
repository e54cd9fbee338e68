using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Schemas;
using MoeOffload.Native;

namespace MoeOffload.Schemas;

/// <summary>
/// A JSON schema that can be honoured exactly: what llama.cpp's converter to grammars would pass over in silence is refused.
/// </summary>
/// <remarks>
/// Honoured: types, <c>properties</c>, <c>required</c>, <c>additionalProperties</c>, <c>items</c>, <c>prefixItems</c>, <c>minItems</c>,
/// <c>maxItems</c>, <c>enum</c>, <c>const</c>, <c>anyOf</c>, <c>oneOf</c> of alternatives that exclude each other, <c>$ref</c> within the
/// schema, bounds of integers, lengths and patterns of strings, and the formats <c>date</c>, <c>time</c>, <c>date-time</c> and
/// <c>uuid</c>. An object has no properties but those that its schema names, unless <c>additionalProperties</c> says so. Of a pattern,
/// only texts without control characters are written.
/// </remarks>
public sealed class JsonSchema
{
    private readonly string _text;
    private readonly Lazy<string> _grammar;

    private JsonSchema(string text, JsonObject schema)
    {
        _text = text;
        Enforced = JsonSchemaReader.Strictly(schema, "The JSON schema").ToJsonString();
        _grammar = new Lazy<string>(MakeGrammar);
    }

    /// <summary>The schema in the words of the converter.</summary>
    internal string Enforced { get; }

    /// <summary>Reads a schema. Blocks for a time that grows with it; the grammar is built later, by the first request that uses it.</summary>
    /// <param name="json">The schema, at most 256 KiB.</param>
    /// <exception cref="ArgumentException">It is no JSON, or cannot be honoured; the message says where and why.</exception>
    public static JsonSchema Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new JsonSchema(json, SchemaText.Parse(json, "The JSON schema"));
    }

    /// <summary>Takes a schema that was read as JSON.</summary>
    /// <param name="element">The schema.</param>
    /// <exception cref="ArgumentException">It cannot be honoured; the message says where and why.</exception>
    public static JsonSchema FromElement(JsonElement element) => Parse(element.GetRawText());

    /// <summary>Makes the schema of a .NET type, as System.Text.Json reads it.</summary>
    /// <param name="type">The type, of a source-generated context for instance.</param>
    /// <exception cref="ArgumentException">The type's schema cannot be honoured; the message says where and why.</exception>
    public static JsonSchema For<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Parse(TypeSchema.Make(type).ToJsonString());
    }

    /// <summary>The schema's text.</summary>
    public override string ToString() => _text;

    /// <summary>The grammar, in GBNF.</summary>
    /// <exception cref="ArgumentException">llama.cpp's converter refused the schema, or the grammar is too large.</exception>
    internal string ToGrammar() => _grammar.Value;

    private string MakeGrammar()
    {
        string grammar = NativeChat.ToGrammar(Enforced, "The JSON schema");
        try
        {
            GrammarCheck.Check(grammar, "root");
        }
        catch (FormatException error)
        {
            throw new ArgumentException($"The JSON schema comes to a grammar that cannot be used: {error.Message}.", error);
        }

        return grammar;
    }
}

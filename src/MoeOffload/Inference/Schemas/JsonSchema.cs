using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Schemas;
using MoeOffload.Native;
using MoeOffload.Shared;

namespace MoeOffload.Schemas;

/// <summary>
/// Represents a JSON schema that can be enforced exactly. A schema with keywords that llama.cpp's grammar converter would ignore is
/// rejected.
/// </summary>
/// <remarks>
/// The supported keywords are types, <c>properties</c>, <c>required</c>, <c>additionalProperties</c>, <c>items</c>, <c>prefixItems</c>,
/// <c>minItems</c>, <c>maxItems</c>, <c>enum</c>, <c>const</c>, <c>anyOf</c>, <c>oneOf</c> if its alternatives exclude each other,
/// <c>$ref</c> within the schema, bounds of integers, lengths and patterns of strings, and the formats <c>date</c>, <c>time</c>,
/// <c>date-time</c> and <c>uuid</c>. An object can have only the properties that its schema names, unless <c>additionalProperties</c>
/// allows others. Strings that match a pattern contain no control characters.
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

    /// <summary>Gets the schema in the form that the converter supports.</summary>
    internal string Enforced { get; }

    /// <summary>
    /// Parses a schema. Blocks for a time that grows with the schema, which can take a second for the largest; see <see cref="ParseAsync"/>. The
    /// grammar of the schema is built when it is first used, on another thread.
    /// </summary>
    /// <param name="json">The schema as JSON, at most 262,144 characters.</param>
    /// <exception cref="ArgumentException">
    /// The text is not valid JSON, or the schema cannot be enforced. The message names the location and the reason.
    /// </exception>
    public static JsonSchema Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new JsonSchema(json, SchemaText.Parse(json, "The JSON schema"));
    }

    /// <summary>Parses a schema without blocking the caller.</summary>
    /// <param name="json">The schema as JSON, at most 262,144 characters.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <inheritdoc cref="Parse" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<JsonSchema> ParseAsync(string json, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return BackgroundCall.ComputeAsync(() => Parse(json), cancellationToken);
    }

    /// <summary>
    /// Creates a schema from a JSON element. Blocks as <see cref="Parse"/> does; to avoid that, pass the element's raw text to
    /// <see cref="ParseAsync"/>.
    /// </summary>
    /// <param name="element">The schema.</param>
    /// <exception cref="ArgumentException">The schema cannot be enforced. The message names the location and the reason.</exception>
    public static JsonSchema FromElement(JsonElement element) => Parse(element.GetRawText());

    /// <summary>
    /// Creates the schema of a .NET type, as serialized by <see cref="System.Text.Json"/>. Blocks for a time that grows with the members of the
    /// type, not with any data.
    /// </summary>
    /// <param name="type">The metadata of the type, for example from a source-generated context.</param>
    /// <exception cref="ArgumentException">The schema of the type cannot be enforced. The message names the location and the reason.</exception>
    public static JsonSchema For<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Parse(TypeSchema.Make(type).ToJsonString());
    }

    /// <summary>Returns the schema as JSON.</summary>
    public override string ToString() => _text;

    /// <summary>Returns the grammar of the schema, in GBNF.</summary>
    /// <exception cref="ArgumentException">llama.cpp's converter rejected the schema, or the grammar is too large.</exception>
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
            throw new ArgumentException($"The JSON schema results in a grammar that is not valid: {error.Message}.", error);
        }

        return grammar;
    }
}

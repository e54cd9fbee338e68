using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Schemas;
using MoeOffload.Shared;

namespace MoeOffload.Schemas;

/// <summary>
/// Represents a JSON schema, of which a grammar holds what the model writes. A schema is either enforced exactly, or refused; or it is lenient,
/// and what the grammar cannot hold is left to the model and can be checked afterwards.
/// </summary>
/// <remarks>
/// <para>
/// The schemas are those of draft 2020-12; what differs in drafts 4 to 2019-09 is understood too. All keywords are supported within these limits:
/// <c>multipleOf</c> up to three digits; <c>uniqueItems</c> for items whose values are listed; <c>contains</c> up to 64 items; <c>oneOf</c>,
/// <c>not</c> and <c>if</c> as far as the opposite of their schemas can be expressed; patterns without back-references, word boundaries, and
/// look-around other than at the beginning; the formats that JSON Schema defines, except for <c>regex</c>; and references within the schema.
/// Unknown keywords are annotations, unless they look like misspelled ones.
/// </para>
/// <para>
/// What the model can write is valid, but not everything that is valid: the members of an object come in the order of the schema. An object has
/// only the members that its schema names, and a tuple only and all of the items, unless the schema explicitly allows others. Numbers have up to
/// 16 digits before and after the decimal point, and bounded ones have no exponent. Strings with a pattern can be limited to 1000 characters more
/// than their minimum length. Items of unique arrays come in the order of the enumeration
/// if it has more than eight values.
/// </para>
/// <para>
/// A schema has at most 262,144 characters and 64 levels. A conversion takes at most 50 million units of work, each of which is about a transition of
/// an automaton, and its grammar has at most 1,048,576 characters. This bounds the time to seconds, and the memory with it;
/// schemas of a few kilobytes take milliseconds.
/// </para>
/// </remarks>
public sealed class JsonSchema
{
    /// <summary>The text with which the names of the grammar's rules start.</summary>
    internal const string Prefix = "schema-";

    private readonly string _text;
    private readonly SchemaDocument _document;
    private readonly SchemaConversion _conversion;

    private JsonSchema(string text, bool isStrict)
    {
        _text = text;
        _document = new SchemaDocument(SchemaText.Parse(text, What));
        _conversion = isStrict ? SchemaConversion.Strictly(_document, Prefix, What) : SchemaConversion.Loosely(_document, Prefix, new ConversionLimits());
        Unenforced = [.. _conversion.Refusals.Select(refusal => refusal.Pointer).Distinct()];
    }

    /// <summary>
    /// Gets the locations of the keywords that the grammar does not hold, as JSON pointers that start with <c>#</c>. It is empty unless the schema
    /// was parsed leniently.
    /// </summary>
    public IReadOnlyList<string> Unenforced { get; }

    private static string What => "The JSON schema";

    /// <summary>
    /// Parses a schema that must be enforced exactly. Blocks for a time that grows with the schema, which can take seconds for the largest; see
    /// <see cref="ParseAsync"/>.
    /// </summary>
    /// <param name="json">The schema as JSON, at most 262,144 characters.</param>
    /// <exception cref="ArgumentException">
    /// The text is not valid JSON, or the schema cannot be enforced. The message names the location and the reason.
    /// </exception>
    public static JsonSchema Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new JsonSchema(json, isStrict: true);
    }

    /// <summary>Parses a schema that must be enforced exactly, without blocking the caller.</summary>
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
    /// Parses a schema of which as much as possible is enforced. <see cref="Unenforced"/> lists what is not, and <see cref="Validate"/> checks an
    /// answer. Blocks as <see cref="Parse"/> does; see <see cref="ParseLenientAsync"/>.
    /// </summary>
    /// <param name="json">The schema as JSON, at most 262,144 characters.</param>
    /// <exception cref="ArgumentException">The text is not valid JSON, or neither an object nor a boolean.</exception>
    public static JsonSchema ParseLenient(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new JsonSchema(json, isStrict: false);
    }

    /// <summary>Parses a schema of which as much as possible is enforced, without blocking the caller.</summary>
    /// <param name="json">The schema as JSON, at most 262,144 characters.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <inheritdoc cref="ParseLenient" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<JsonSchema> ParseLenientAsync(string json, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return BackgroundCall.ComputeAsync(() => ParseLenient(json), cancellationToken);
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

    /// <summary>Checks a JSON text against the whole schema, including what the grammar does not hold.</summary>
    /// <param name="json">The text.</param>
    /// <returns>The first violations, or an empty list if there are none.</returns>
    public IReadOnlyList<JsonSchemaViolation> Validate(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return new SchemaValidator(new PatternCache(new WorkBudget(SchemaExpander.MaxWork))).Validate(_document.Root, JsonElement.Parse(json));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return [new JsonSchemaViolation(string.Empty, "#", $"is violated by a text that is not valid JSON: {error.Message}")];
        }
    }

    /// <summary>Returns the schema as JSON.</summary>
    public override string ToString() => _text;

    /// <summary>Gets the rules of the schema, for a larger grammar, and the name of the first one.</summary>
    internal (string Rules, string Root) Rules => (_conversion.Rules, _conversion.Root);

    /// <summary>Returns the grammar of the schema, in GBNF.</summary>
    internal string ToGrammar() => $"root ::= {_conversion.Root}\n{_conversion.Rules}";
}

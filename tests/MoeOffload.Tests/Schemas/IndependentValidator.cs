using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;

namespace MoeOffload.Tests.Schemas;

/// <summary>Validates values by the package JsonSchema.Net.</summary>
internal static class IndependentValidator
{
    // The regular expressions of .NET take these for something else than those of ECMA-262 do, which JSON Schema uses.
    private static readonly string[] s_otherForDotNet = ["\\n\"", "\uFEFF"];

    private static readonly EvaluationOptions s_options = new() { OutputFormat = OutputFormat.Flag, RequireFormatValidation = true };

    /// <summary>Determines whether a schema allows a value.</summary>
    /// <returns>Null if the package cannot read the schema or the value.</returns>
    public static bool? Allows(string schema, string text)
    {
        // The package counts what a reader sees as one character as one, instead of code points.
        string characters = Regex.Unescape(text.Replace("\\/", "/", StringComparison.Ordinal));
        if (Array.Exists(s_otherForDotNet, it => text.Contains(it, StringComparison.Ordinal))
            || new StringInfo(characters).LengthInTextElements != characters.EnumerateRunes().Count())
        {
            return null;
        }

        try
        {
            return JsonSchema.FromText(schema).Evaluate(JsonDocument.Parse(text).RootElement, s_options).IsValid;
        }
        catch (Exception error) when (error is not NUnit.Framework.AssertionException)
        {
            return null;
        }
    }
}

using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents a schema as rules of a grammar.</summary>
/// <param name="Rules">The rules, whose names all start with the prefix.</param>
/// <param name="Root">The name of the rule of the whole schema.</param>
/// <param name="Refusals">The keywords that the rules do not hold.</param>
internal sealed record SchemaConversion(string Rules, string Root, IReadOnlyList<Refusal> Refusals)
{
    /// <summary>Converts a schema of which the rules hold every keyword.</summary>
    /// <param name="document">The schema.</param>
    /// <param name="prefix">The text with which the names of the rules start.</param>
    /// <param name="what">A description of the schema, with which error messages start.</param>
    /// <exception cref="ArgumentException">The schema cannot be enforced. The message names the location and the reason.</exception>
    public static SchemaConversion Strictly(SchemaDocument document, string prefix, string what)
    {
        SchemaConversion result;
        try
        {
            result = Convert(document, prefix, new ConversionLimits());
        }
        catch (Exception error) when (error is WorkLimitException or FormatException)
        {
            throw new ArgumentException($"{what} cannot be enforced: {error.Message}.", error);
        }

        return result switch
        {
            { Refusals: [var refusal, ..] } => throw new ArgumentException($"{what} cannot be enforced: {refusal.Pointer} {refusal.Reason}."),
            { Rules.Length: 0 } => throw new ArgumentException($"{what} cannot be enforced: it allows no value, or none that ends."),
            _ => result,
        };
    }

    /// <summary>Converts a schema of which the rules hold as much as they can.</summary>
    /// <param name="document">The schema.</param>
    /// <param name="prefix">The text with which the names of the rules start.</param>
    /// <param name="limits">The limits of all schemas of the request.</param>
    public static SchemaConversion Loosely(SchemaDocument document, string prefix, ConversionLimits limits)
    {
        string reason = "allows no value";
        try
        {
            if (Convert(document, prefix, limits) is { Rules.Length: > 0 } result)
            {
                return result;
            }
        }
        catch (Exception error) when (error is WorkLimitException or FormatException)
        {
            reason = error.Message;
        }

        return Convert(new SchemaDocument(document.True.Element), prefix, new ConversionLimits()) with { Refusals = [new Refusal("#", reason)] };
    }

    // There are no rules if the schema allows no value.
    private static SchemaConversion Convert(SchemaDocument document, string prefix, ConversionLimits limits)
    {
        WorkBudget work = limits.Begin();
        try
        {
            var writer = new SchemaWriter(prefix, work);
            string root = writer.Builder.FixedName("root");
            GrammarSymbol symbol = writer.RuleOf(Goal.Of(new Literal(document.Root, false)));
            writer.Finish();
            writer.Builder.Add(root, [[symbol]]);
            string rules = writer.Builder.Write([root]) ?? string.Empty;
            if (rules.Length > 0)
            {
                limits.Take(rules.Length, GrammarCheck.Check(rules, root));
            }

            return new SchemaConversion(rules, root, [.. writer.Refusals]);
        }
        finally
        {
            limits.End(work);
        }
    }
}

using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents the members of an object's schema as rules of a grammar, for formats that write each member in their own way.</summary>
/// <param name="Rules">The rules, whose names all start with the prefix.</param>
/// <param name="Members">The members, in their order.</param>
internal sealed record MemberConversion(string Rules, IReadOnlyList<MemberConversion.Member> Members)
{
    /// <summary>Converts the members that a schema names. The rules hold as much as they can.</summary>
    /// <param name="document">The schema.</param>
    /// <param name="prefix">The text with which the names of the rules start.</param>
    /// <param name="limits">The limits of all schemas of the request.</param>
    public static MemberConversion Of(SchemaDocument document, string prefix, ConversionLimits limits)
    {
        WorkBudget work = limits.Begin();
        try
        {
            if (Convert(document, prefix, work, limits) is { } result)
            {
                return result;
            }
        }
        catch (Exception error) when (error is WorkLimitException or FormatException)
        {
            // The names alone are known then.
        }
        finally
        {
            limits.End(work);
        }

        IReadOnlyList<string> required = document.Root.Names("required") ?? [];
        return new MemberConversion(
            string.Empty,
            [.. document.Root.Map("properties").Select(property => new Member(property.Name, JsonKinds.All, required.Contains(property.Name), null))]);
    }

    private static MemberConversion? Convert(SchemaDocument document, string prefix, WorkBudget work, ConversionLimits limits)
    {
        var writer = new SchemaWriter(prefix, work);
        Case[] cases = [.. writer.Expander.Expand(Goal.Of(new Literal(document.Root, false))).Cases.Where(it => it.Values is null && it.Kinds.HasFlag(JsonKinds.Object))];
        List<Member> members = [];
        foreach (string name in cases.SelectMany(it => it.Objects.Layers.SelectMany(layer => layer.Names).Concat(it.Objects.Required)).Distinct())
        {
            Goal[] goals = [.. cases.Select(it => it.Objects.MemberOf(name)).Where(goal => !writer.Expander.IsEmpty(goal)).DistinctBy(goal => goal.Key)];
            JsonKinds kinds = goals.SelectMany(goal => writer.Expander.Expand(goal).Cases).Aggregate(JsonKinds.None, (all, it) => all | it.Kinds);
            if (goals.Length > 0)
            {
                bool isFree = Array.Exists(goals, goal => goal.IsTrivial);
                string? root = isFree ? null : writer.Builder.AddNew("u", goals.Select(goal => new[] { writer.RuleOf(goal) })).Rule;
                members.Add(new Member(name, isFree ? JsonKinds.All : kinds, Array.TrueForAll(cases, it => it.Objects.Required.Contains(name)), root));
            }
        }

        writer.Finish();
        string[] roots = [.. members.Select(member => member.Root).OfType<string>()];
        if (writer.Builder.Write(roots) is not { } rules)
        {
            return null;
        }

        if (roots.Length > 0)
        {
            limits.Take(rules.Length, GrammarCheck.Check(rules, roots[0]));
        }

        return new MemberConversion(rules, members);
    }

    /// <summary>Represents a member.</summary>
    /// <param name="Name">The name.</param>
    /// <param name="Kinds">The kinds of its values.</param>
    /// <param name="IsRequired">Whether the object must have it.</param>
    /// <param name="Root">The name of the rule of its values, or null if it can have any.</param>
    public sealed record Member(string Name, JsonKinds Kinds, bool IsRequired, string? Root);
}

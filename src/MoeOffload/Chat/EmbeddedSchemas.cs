using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Chat;

/// <summary>
/// Represents the schemas of a request to llama.cpp. It gets a placeholder for each one, and in the grammar that it makes, ours take their
/// places: llama.cpp's own conversion of schemas allows texts that the schemas do not.
/// </summary>
internal sealed partial class EmbeddedSchemas
{
    private const string Marker = "moe-schema";

    private readonly List<string> _rules = [];
    private readonly List<string> _roots = [];

    /// <summary>Adds rules that placeholders refer to.</summary>
    public void AddRules(string rules) => _rules.Add(rules);

    /// <summary>Returns the placeholder of a rule: a constant, whatever is next to it.</summary>
    public JsonObject Add(string root)
    {
        _roots.Add(root);
        return new JsonObject { [Marker] = _roots.Count - 1 };
    }

    /// <summary>Determines whether a grammar has all placeholders.</summary>
    public bool AreAllIn(string grammar) => Placeholders().Matches(grammar).Select(match => match.Groups[1].Value).Distinct().Count() == _roots.Count;

    /// <summary>Replaces the placeholders in the grammar of a rendered chat by the rules.</summary>
    /// <param name="rendered">The rendered chat, as JSON.</param>
    /// <param name="shown">The text to show in the prompt instead of the placeholder of the answer's schema, or null.</param>
    /// <param name="findForm">Finds the form of an answer, of which llama.cpp makes no grammar for some templates.</param>
    public byte[] Link(byte[] rendered, string? shown, Func<AnswerForm>? findForm = null)
    {
        if (_roots.Count == 0)
        {
            return rendered;
        }

        JsonObject json = JsonNode.Parse(rendered)!.AsObject();
        string grammar = (string)json["grammar"]!;
        if (grammar.Length > 0)
        {
            json["grammar"] = Placeholders().Replace(grammar, match => _roots[int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)]) + string.Concat(_rules);
        }
        else if (findForm is not null && shown is not null)
        {
            RequireAnswer(json, findForm());
        }

        if (shown is not null)
        {
            json["prompt"] = ShownPlaceholder().Replace((string)json["prompt"]!, _ => shown);
        }

        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    // llama.cpp knows no form of answers by a schema for some templates, and would leave the answer free.
    private void RequireAnswer(JsonObject json, AnswerForm form)
    {
        string answer = form.AroundContent(_roots[^1])
            ?? throw new NotSupportedException("Answers in the format of this chat template cannot follow a schema. Remove the schema, or use another template.");
        string beginning = (string?)json["generation_prompt"] ?? string.Empty;
        json["grammar"] = $"root ::= {GrammarSymbol.Literal(beginning).Text} {answer}\n{form.Rules}{string.Concat(_rules)}";
        json["grammar_lazy"] = false;
    }

    [GeneratedRegex("\"\\{\\\\\"moe-schema\\\\\":\\s?([0-9]+)\\}\"")]
    private static partial Regex Placeholders();

    [GeneratedRegex("\\{\"const\":\\s?\\{\"moe-schema\":\\s?[0-9]+\\}\\}")]
    private static partial Regex ShownPlaceholder();
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MoeOffload.Cli.Options;

/// <summary>Creates options whose error messages state the allowed values. The first name is the long one, from which the variable and the key are derived.</summary>
internal static class Opt
{
    public static Option<bool> Flag(string description, string name, params string[] aliases) =>
        new(name, aliases) { Description = description };

    public static Option<string?> Text(string value, string description, string name, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value };

    public static Option<string[]> Texts(string value, string description, string name, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    public static Option<int?> Integer(string value, string description, int least, int most, string name, params string[] aliases) => Parsed<int?>(
        value,
        description,
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number : null,
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"),
        name,
        aliases);

    public static Option<double?> Number(string value, string description, double least, double most, string name, params string[] aliases) => Parsed<double?>(
        value,
        description,
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most ? number : null,
        string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"),
        name,
        aliases);

    /// <summary>Creates an option that accepts one of several values, regardless of case.</summary>
    public static Option<T?> Choice<T>(string description, IReadOnlyDictionary<string, T> values, string name, params string[] aliases)
        where T : struct
    {
        string all = string.Join('|', values.Keys);
        Option<T?> option = Parsed<T?>(
            all,
            description,
            text => values.Where(pair => string.Equals(pair.Key, text, StringComparison.OrdinalIgnoreCase)).Select(pair => (T?)pair.Value).FirstOrDefault(),
            $"one of {all}",
            name,
            aliases);
        return Completed(option, [.. values.Keys]);
    }

    /// <summary>Sets the completions of an option, instead of the names of its enumeration, which are not what it accepts.</summary>
    public static Option<T> Completed<T>(Option<T> option, params string[] words)
    {
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>Creates an option whose value is parsed by a function, which returns null if the value is not valid.</summary>
    public static Option<T?> Parsed<T>(string value, string description, Func<string, T?> parse, string allowed, string name, params string[] aliases) =>
        Completed(new Option<T?>(name, aliases)
        {
            Description = description,
            HelpName = value,
            CustomParser = result => Parse(result, parse, allowed, name),
        });

    /// <summary>Validates each value of an option that can be repeated.</summary>
    /// <param name="option">The option.</param>
    /// <param name="isValid">Returns whether a value is valid.</param>
    /// <param name="allowed">A description of the valid values.</param>
    public static void Check(Option<string[]> option, Func<string, bool> isValid, string allowed) => option.Validators.Add(result =>
    {
        foreach (Token wrong in result.Tokens.Where(token => !isValid(token.Value)))
        {
            result.AddError($"{option.Name} is '{wrong.Value}', but must be {allowed}.");
        }
    });

    private static T? Parse<T>(ArgumentResult result, Func<string, T?> parse, string allowed, string name)
    {
        string text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : string.Empty;
        T? value = parse(text);
        if (value is null)
        {
            result.AddError($"{name} is '{text}', but must be {allowed}.");
        }

        return value;
    }
}

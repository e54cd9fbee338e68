using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Finds words that look like options but are not, which would become a part of a prompt or the name of a model.</summary>
internal static partial class MistypedOption
{
    // With more changes, the names have nothing to do with each other.
    private const int MaxDistance = 3;

    /// <summary>Returns what is wrong with the first such word before <c>--</c>, or <see langword="null"/> if there is none.</summary>
    /// <param name="parsed">The command line.</param>
    public static string? Describe(ParseResult parsed)
    {
        HashSet<string> words = [.. parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)];
        string? wrong = parsed.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Where(token => token.Type == TokenType.Argument && words.Contains(token.Value))
            .Select(token => token.Value)
            .FirstOrDefault(value => Name().IsMatch(value));
        if (wrong is null)
        {
            return null;
        }

        string name = wrong.Split('=')[0];
        (string near, int distance) = NearNames.Of(name, NamesOf(parsed)).First();
        string meant = distance <= Math.Min(MaxDistance, name.Length / 2) ? $"Did you mean '{near}'? " : string.Empty;
        return $"'{name}' is not an option. {meant}To pass it as text, put -- before it.";
    }

    private static IEnumerable<string> NamesOf(ParseResult parsed) => parsed.CommandResult.Command.Options
        .Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive))
        .Where(option => !option.Hidden)
        .SelectMany(option => option.Aliases.Prepend(option.Name))
        .Where(name => name.StartsWith("--", StringComparison.Ordinal));

    [GeneratedRegex(@"^--?[A-Za-z][\w-]*(=.*)?$", RegexOptions.Singleline)]
    private static partial Regex Name();
}

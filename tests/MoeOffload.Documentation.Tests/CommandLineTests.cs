using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Cli;
using MoeOffload.Cli.Options;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed partial class CommandLineTests
{
    [TestCaseSource(nameof(Lines))]
    public void Command_line_of_a_page_is_valid(string page, string line)
    {
        RootCommand root = MoeCommand.Build(new GlobalOptions(), static (command, _) => command.SetAction(static (_, _) => Task.FromResult(0)));

        ParseResult parsed = FluentActions.Invoking(() => MoeCommand.Parse(root, Words(line), static _ => null)).Should().NotThrow("{0} has the line\n{1}", page, line).Subject;

        // A mistyped option is the prompt of a command that takes one.
        parsed.Tokens.Where(token => token.Type == TokenType.Argument && token.Value.StartsWith('-')).Should().BeEmpty("{0} has the line\n{1}", page, line);
    }

    [TestCase("moe run NAME --cpu-mo")]
    [TestCase("moe fit NAME --vrma 8GiB")]
    public void Command_line_with_an_unknown_option_is_found(string line) =>
        FluentActions.Invoking(() => Command_line_of_a_page_is_valid("page.md", line)).Should().Throw<AssertionException>();

    // Usage, in which words in brackets can be left out, and pipelines are not command lines.
    private static IEnumerable<TestCaseData> Lines() => Repository.Pages()
        .Where(page => page is not "docs/cli.md" && !page.StartsWith("docs/evidence", StringComparison.Ordinal))
        .SelectMany(page => Block().Matches(Repository.Read(page))
            .SelectMany(block => Line().Matches(block.Groups["text"].Value.Replace("\\\n", " ", StringComparison.Ordinal)))
            .Select(match => match.Groups["line"].Value)
            .Where(line => !line.Contains('[', StringComparison.Ordinal) && !line.Contains('|', StringComparison.Ordinal))
            .Distinct()
            .Select(line => new TestCaseData(page, line).SetArgDisplayNames(page, line)));

    private static string[] Words(string line) =>
        [.. Word().Matches(line).Select(match => match.Groups["quoted"] is { Success: true } quoted ? quoted.Value : match.Value).Skip(1)];

    [GeneratedRegex(@"^```(?:console|sh|text|output)?\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^(?:\$ )?(?<line>moe .+?)(?:\s+#.*|\s{2,}.*)?$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("""(?<mark>["'])(?<quoted>.*?)\k<mark>|\S+""")]
    private static partial Regex Word();
}

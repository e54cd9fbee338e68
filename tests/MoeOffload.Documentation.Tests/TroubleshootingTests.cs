using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

/// <summary>The messages that the page about errors explains are those that the code writes.</summary>
[TestFixture]
public sealed partial class TroubleshootingTests
{
    private const string Page = "docs/how-to/troubleshooting.md";
    private const string Hole = "…";

    private static readonly Lazy<IReadOnlyList<string>> s_texts = new(() => [.. Sources().SelectMany(Texts).Select(Normalize).Distinct()]);

    [TestCaseSource(nameof(Messages))]
    public void Message_of_the_page_is_in_the_code(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        string pattern = Regex.Escape(Normalize(message)).Replace(Hole, ".*", StringComparison.Ordinal);

        s_texts.Value.Should().Contain(text => Regex.IsMatch(text, pattern), "{0} explains this message", Page);
    }

    [Test]
    public void Message_that_no_code_writes_is_found() =>
        FluentActions.Invoking(() => Message_of_the_page_is_in_the_code("There is no modle '…'.")).Should().Throw<AssertionException>();

    private static IEnumerable<string> Messages() => Heading().Matches(Repository.Read(Page)).Select(match => match.Groups["message"].Value);

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Split(Path.DirectorySeparatorChar).Contains("obj"));

    // Each text of the file, in which a value that is inserted is a hole. Parts that are added to each other are one text.
    private static IEnumerable<string> Texts(string path)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetRoot();
        foreach (ExpressionSyntax expression in root.DescendantNodes().OfType<ExpressionSyntax>())
        {
            bool isPart = expression.Parent is BinaryExpressionSyntax parent && parent.IsKind(SyntaxKind.AddExpression);
            if (!isPart && TextOf(expression) is { } text && text != Hole)
            {
                yield return text;
            }
        }
    }

    private static string? TextOf(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => literal.Token.ValueText,
        InterpolatedStringExpressionSyntax interpolated => string.Concat(interpolated.Contents.Select(part => part is InterpolatedStringTextSyntax text ? text.TextToken.ValueText : Hole)),
        BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => TextOf(sum.Left) + (TextOf(sum.Right) ?? Hole),
        _ => null,
    };

    // A hole at the end of a text could be anything, so holes are compared as one character.
    private static string Normalize(string text) => Space().Replace(text, " ").Trim();

    [GeneratedRegex("^### `(?<message>.+)`$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}

using System.Reflection;
using System.Text.RegularExpressions;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

/// <summary>Runs samples with the demo model. The console and the current directory belong to the process, so one runs at a time.</summary>
[TestFixture]
[NonParallelizable]
public sealed class SnippetRunTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"moe-samples-{Guid.NewGuid():N}");

    [OneTimeSetUp]
    public void CreateDirectory()
    {
        Directory.CreateDirectory(_directory);
        File.Copy(Path.Combine(Repository.Root, "samples", "TinyMoe", "tiny-moe.gguf"), Path.Combine(_directory, "model.gguf"));
    }

    [OneTimeTearDown]
    public void DeleteDirectory() => Directory.Delete(_directory, recursive: true);

    [TestCaseSource(nameof(Snippets))]
    public async Task Sample_runs_and_writes_what_the_page_shows(Snippet snippet)
    {
        ArgumentNullException.ThrowIfNull(snippet);
        MethodInfo main = Assembly.Load(SnippetCompiler.CompileToAssembly(snippet)).EntryPoint!;
        object[] arguments = main.GetParameters().Length == 0 ? [] : [Array.Empty<string>()];
        string before = Environment.CurrentDirectory;
        (TextReader input, TextWriter output) = (Console.In, Console.Out);
        using var reader = new StringReader(snippet.Input);
        using var writer = new StringWriter();
        try
        {
            Environment.CurrentDirectory = _directory;
            Console.SetIn(reader);
            Console.SetOut(writer);
            await Task.Run(() => main.Invoke(null, arguments)).WaitAsync(s_limit);
        }
        finally
        {
            Console.SetIn(input);
            Console.SetOut(output);
            Environment.CurrentDirectory = before;
        }

        string written = writer.ToString().ReplaceLineEndings("\n");
        written.Should().NotBeEmpty();
        foreach (string line in snippet.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            written.Should().MatchRegex($"(?m)^{Regex.Escape(line.TrimEnd()).Replace("…", ".*", StringComparison.Ordinal)}\\s*$", "{0} shows it", snippet);
        }
    }

    [Test]
    public void Samples_of_the_tutorials_are_run() =>
        Snippets().Select(test => ((Snippet)test.Arguments[0]!).File).Should().Contain(["docs/tutorials/first-token.md", "docs/tutorials/game-character.md"]);

    private static IEnumerable<TestCaseData> Snippets() => Repository.Pages()
        .SelectMany(page => Snippet.In(Repository.Root, page))
        .Where(snippet => snippet.IsRun)
        .Select(snippet => new TestCaseData(snippet).SetArgDisplayNames(snippet.ToString()));
}

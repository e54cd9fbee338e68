using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>The templates of the package, installed, created, built and run outside the repository.</summary>
[TestFixture]
public sealed partial class TemplateTests : IDisposable
{
    private const string Id = "MoeOffload.Templates";

    private static readonly (string Template, string Framework)[] s_templates =
    [
        ("moe-chat", "net10.0"), ("moe-api", "net10.0"), ("moe-worker", "net10.0"), ("moe-character", "net8.0"),
    ];

    private readonly TemporaryDirectory _directory = new();

    private string[] Hive => ["--debug:custom-hive", _directory["hive"]];

    // One build makes all of them side by side. The name of a project is not one for a namespace, and the path of the model must be escaped.
    [OneTimeSetUp]
    public void CreateAndBuild()
    {
        string model = _directory["größe", "\"tiny\" moe.gguf"];
        Directory.CreateDirectory(Path.GetDirectoryName(model)!);
        File.Copy(DemoModel.Path, model);
        Packages.WriteFeeds(_directory.Path);
        Succeed(["new", "install", Path.Combine(Packages.Folder, $"{Id}.{Packages.Version}.nupkg"), .. Hive]);
        foreach ((string template, string framework) in s_templates)
        {
            string[] options = framework == "net10.0" ? [] : ["--framework", framework];
            Succeed(["new", template, "--output", $"my.{template}", "--model", model, "--no-restore", .. options, .. Hive]);
        }

        _directory.Write(
            "All.slnx",
            $"<Solution>{string.Concat(s_templates.Select(it => $"<Project Path=\"my.{it.Template}/my.{it.Template}.csproj\" />"))}</Solution>");
        Succeed(["build", "All.slnx", "-c", "Release", "-warnaserror", "-p:NuGetAudit=false"]);
    }

    public void Dispose() => _directory.Dispose();

    [Test]
    public void Chat_answers_each_line_and_ends_with_an_empty_one()
    {
        PeerResult result = TemplateApplication.Run(Assembly("moe-chat"), "What do bees make?", "Who are you?", string.Empty);

        result.ExitCode.Should().Be(0, result.Text);
        result.Text.Should().Contain("Loading ");
        result.Text.Split("> ").Should().HaveCount(4).And.OnlyContain(text => text.Length > 0);
    }

    [Test]
    public void Chat_names_a_model_that_is_missing()
    {
        PeerResult result = DotNet.Run(_directory.Path, Assembly("moe-chat"), "missing.gguf");

        result.ExitCode.Should().Be(1);
        result.Errors.Should().Contain("missing.gguf").And.NotContain("   at ");
    }

    [Test]
    public async Task Web_api_answers_streams_and_is_healthy()
    {
        using TemplateApplication application = TemplateApplication.Start(Assembly("moe-api"), "--urls", "http://127.0.0.1:0");
        await application.WaitAsync(() => Address().IsMatch(application.Output));
        using var http = new HttpClient { BaseAddress = new Uri(Address().Match(application.Output).Groups["address"].Value) };
        var question = new { text = "What do bees make?" };

        (await http.GetStringAsync(new Uri("health", UriKind.Relative))).Should().Be("Healthy");
        using HttpResponseMessage whole = await http.PostAsJsonAsync("chat", question);
        using HttpResponseMessage streamed = await http.PostAsJsonAsync("chat/stream", question);

        (await whole.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("text").GetString().Should().NotBeEmpty();
        streamed.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        string[] events = (await streamed.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        events.Should().NotBeEmpty().And.OnlyContain(text => text.StartsWith("data: {\"text\":\"", StringComparison.Ordinal));
    }

    [Test]
    public async Task Worker_writes_a_summary_beside_each_text()
    {
        string inbox = _directory["inbox"];
        Directory.CreateDirectory(inbox);
        await File.WriteAllTextAsync(_directory["inbox", "story.txt"], "Once upon a time, there was a brave fox who lived in a forest.");
        string summary = _directory["inbox", "story.summary.md"];

        using TemplateApplication application = TemplateApplication.Start(Assembly("moe-worker"), "--Inbox", inbox);
        await application.WaitAsync(() => application.Output.Contains("Wrote ", StringComparison.Ordinal));

        (await File.ReadAllTextAsync(summary)).Should().NotBeEmpty();
    }

    [Test]
    public void Character_answers_in_a_loop_that_counts_its_frames()
    {
        PeerResult result = TemplateApplication.Run(Assembly("moe-character"), "Hello!", "Who are you?", string.Empty);

        result.ExitCode.Should().Be(0, result.Text);
        Match frames = Frames().Match(result.Text);
        frames.Success.Should().BeTrue(result.Text);
        int.Parse(frames.Groups["frames"].Value, System.Globalization.CultureInfo.InvariantCulture).Should().BeGreaterThan(2);
        result.Text[..frames.Index].Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Should().HaveCountGreaterThan(2, "there are two answers after the greeting");
    }

    [Test]
    public void Created_projects_have_no_placeholders_and_their_own_name()
    {
        foreach ((string template, string framework) in s_templates)
        {
            string[] files = [.. Directory.GetFiles(_directory[$"my.{template}"]).Where(file => Path.GetExtension(file) is ".cs" or ".csproj" or ".json" or ".md")];

            files.Should().Contain(file => Path.GetFileName(file) == $"my.{template}.csproj").And.Contain(file => Path.GetFileName(file) == "README.md");
            string text = string.Concat(files.Select(File.ReadAllText));
            text.Should().NotContainAny("MODEL_NAME", "MOE_VERSION", "HOSTING_VERSION", "MoeChat", "MoeApi", "MoeWorker", "MoeCharacter");
            text.Should().Contain($"<TargetFramework>{framework}</TargetFramework>").And.Contain($"Version=\"{Packages.Version}\"");
        }
    }

    [Test]
    public void Package_has_the_templates_and_no_assembly()
    {
        using ZipArchive package = Packages.Open(Id);

        string[] files = [.. package.Entries.Select(entry => entry.FullName)];
        files.Where(file => file.EndsWith("/template.json", StringComparison.Ordinal))
            .Should().BeEquivalentTo(s_templates.Select(it => $"content/{it.Template}/.template.config/template.json"));
        files.Should().NotContain(file => file.EndsWith(".dll", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal) || file.Contains("/obj/", StringComparison.Ordinal));
    }

    private string Assembly(string template)
    {
        string framework = s_templates.Single(it => it.Template == template).Framework;
        return _directory[$"my.{template}", "bin", "Release", framework, $"my.{template}.dll"];
    }

    private void Succeed(string[] arguments)
    {
        PeerResult result = DotNet.Run(_directory.Path, arguments);
        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
    }

    [GeneratedRegex(@"Now listening on: (?<address>http://\S+)")]
    private static partial Regex Address();

    [GeneratedRegex(@"^(?<frames>\d+) frames\. The character took at most [\d.,]+ ms of a frame\.", RegexOptions.Multiline)]
    private static partial Regex Frames();
}

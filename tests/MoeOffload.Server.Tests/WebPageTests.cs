using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed partial class WebPageTests
{
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync(options => options.Access.ApiKeys = ["secret"]);

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Page_needs_no_key_and_allows_nothing_but_its_own_files()
    {
        using HttpResponseMessage response = await _server.Http.GetAsync("/");

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().Should().Be("text/html; charset=utf-8");
        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        policy.Should().StartWith("default-src 'none'").And.Contain("frame-ancestors 'none'").And.NotContain("unsafe").And.NotContain("*");
        response.Headers.GetValues("X-Content-Type-Options").Single().Should().Be("nosniff");
    }

    [Test]
    public async Task Files_name_each_other_and_nothing_elsewhere()
    {
        var waiting = new Queue<string>(["/"]);
        var seen = new Dictionary<string, string>();
        while (waiting.TryDequeue(out string? path))
        {
            if (seen.ContainsKey(path))
            {
                continue;
            }

            using HttpResponseMessage response = await _server.Http.GetAsync(path);
            response.StatusCode.Should().Be(HttpStatusCode.OK, path);
            seen[path] = await response.Content.ReadAsStringAsync();
            foreach (Match reference in Reference().Matches(seen[path]))
            {
                waiting.Enqueue($"/web/{Path.GetFileName(reference.Groups[1].Value)}");
            }
        }

        seen.Keys.Should().Contain("/web/theme.css").And.Contain("/web/main.js").And.Contain("/web/experts.js");
        seen.Values.SelectMany(text => Elsewhere().Matches(text).Select(match => match.Value)).Should().OnlyContain(address => address.StartsWith("http://www.w3.org/", StringComparison.Ordinal));
        typeof(MoeServerExtensions).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("Web/Page/", StringComparison.Ordinal)).Should().HaveCount(seen.Count);
    }

    [Test]
    public async Task File_that_the_browser_has_is_not_sent_again()
    {
        using HttpResponseMessage first = await _server.Http.GetAsync("/web/theme.css");
        using var again = new HttpRequestMessage(HttpMethod.Get, "/web/theme.css");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using HttpResponseMessage second = await _server.Http.SendAsync(again);

        second.StatusCode.Should().Be(HttpStatusCode.NotModified);
        first.Headers.CacheControl.Should().Be(new CacheControlHeaderValue { NoCache = true });
    }

    [Test]
    public async Task Head_is_answered_as_ollamas_clients_ask_for_it()
    {
        using HttpResponseMessage response = await _server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"));

        response.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [GeneratedRegex("""(?:href="|src="|from "|import ")((?:web/|\./)[\w.-]+)""")]
    private static partial Regex Reference();

    [GeneratedRegex("""\bhttps?://[^\s"'`)\\]+""")]
    private static partial Regex Elsewhere();
}

using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>The clients that npm has, unchanged: chat, stream, tools, schema, embeddings, errors.</summary>
[TestFixture]
public sealed class NodeClientTests
{
    private TestServer _server = null!;
    private TestServer _calling = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        _calling = await CallingModel.StartAsync();
        await NodeClients.InstallAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _server.DisposeAsync();
        await _calling.DisposeAsync();
    }

    [TestCase("openai", 8)]
    [TestCase("ollama", 9)]
    [TestCase("anthropic", 7)]
    [TestCase("frameworks", 6)]
    public async Task Client_is_served_unchanged(string client, int tests)
    {
        (int code, string output) = await NodeClients.RunAsync(
            client, _server.Address.AbsoluteUri.TrimEnd('/'), TestServer.Demo, _calling.Address.AbsoluteUri.TrimEnd('/'), _calling.Models.List()[0].Entry.Name);

        code.Should().Be(0, output);
        output.Should().Contain($"# pass {tests}\n").And.NotContain("invalid json");
    }
}

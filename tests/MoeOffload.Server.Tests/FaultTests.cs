using System.Net;
using System.Text.Json.Nodes;
using FluentAssertions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Whose fault an error is: only what checks a request makes it the client's.</summary>
[TestFixture]
public sealed class FaultTests
{
    [Test]
    public async Task Argument_error_below_an_endpoint_is_the_servers_fault_and_in_the_log()
    {
        var clock = new WrongClock();
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [DemoModel.Path] }, clock);
        await using TestServer server = await TestServer.StartAsync(catalog);
        clock.IsWrong = true;
        (int status, JsonNode error) = await server.FailAsync("/v1/chat/completions", TestServer.Chat("Hi"));

        status.Should().Be(500);
        ((string)error["message"]!).Should().Contain("request id req_").And.NotContain(WrongClock.Message);
        server.Log.Lines.Should().ContainSingle(line => line.Level == LogLevel.Error).Which.Text.Should().Contain(WrongClock.Message);
    }

    [Test]
    public async Task Argument_error_of_an_endpoint_behind_the_servers_rules_is_the_servers_fault()
    {
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [DemoModel.Path] });
        await using TestServer server = await TestServer.StartAsync(
            catalog, map: app => app.MapGet("/own", string () => throw new ArgumentOutOfRangeException("index")).RequireMoeOffloadAccess());
        using HttpResponseMessage response = await server.Http.GetAsync("/own");

        response.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        server.Log.Lines.Should().ContainSingle(line => line.Level == LogLevel.Error).Which.Text.Should().Contain("/own");
    }

    [TestCase("""{"tools":[{"type":"function","function":{"name":"a b"}}]}""")]
    [TestCase("""{"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]}""")]
    [TestCase("""{"tool_choice":"required"}""")]
    [TestCase("""{"grammar":"root ::= ("}""")]
    [TestCase("""{"logit_bias":{"99999999":1}}""")]
    [TestCase("""{"response_format":{"type":"json_schema","json_schema":{"strict":true,"schema":{"type":"wizard"}}}}""")]
    public async Task Request_that_the_library_does_not_accept_is_the_clients_fault(string fields)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
        {
            chat[name] = value!.DeepClone();
        }

        (int status, JsonNode error) = await server.FailAsync("/v1/chat/completions", chat);

        status.Should().Be(400);
        ((string)error["message"]!).Should().NotContain("Parameter '");
        server.Log.Lines.Should().NotContain(line => line.Level >= LogLevel.Error);
    }

    [TestCase("/v1/messages", """{"max_tokens":2,"tool_choice":{"type":"tool","name":""},"tools":[{"name":"a","input_schema":{"type":"object"}}]}""")]
    public async Task Request_of_another_API_that_the_library_does_not_accept_is_the_clients_fault(string path, string fields)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonObject chat = JsonNode.Parse(fields)!.AsObject();
        chat["model"] = TestServer.Demo;
        chat["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" });
        using HttpResponseMessage response = await server.PostAsync(path, chat);

        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    private sealed class WrongClock : TimeProvider
    {
        public const string Message = "The clock is wrong.";

        public bool IsWrong { get; set; }

        public override long GetTimestamp() => IsWrong ? throw new ArgumentOutOfRangeException("ticks", Message) : base.GetTimestamp();
    }
}

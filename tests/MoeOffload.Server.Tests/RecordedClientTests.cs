using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>
/// The first and second turns of agents and assistants, in the form in which they send them: the requests are ours, with their fields, kinds of
/// messages and schemas. Each is answered, streamed and not, and its texts reach the model.
/// </summary>
[TestFixture]
public sealed class RecordedClientTests
{
    private const string Ignored = "x-moe-ignored";

    private TestServer _server = null!;

    private static string Folder { get; } = Path.Combine(NativeBuild.Repository, "tests", "MoeOffload.Server.Tests", "Recorded");

    private static IEnumerable<string> Clients => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync(
        options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 8192 };
            options.Requests.LogPrompts = true;
            options.Requests.Sampling = new SamplingOptions { Seed = 1 };
        },
        RealTemplates.Write(RealTemplates.Read("Qwen3.5-4B")));

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Turns_of_a_client_are_answered([ValueSource(nameof(Clients))] string client, [Values] bool stream)
    {
        JsonObject recorded = Read(client);
        string path = (string)recorded["path"]!;
        string[] words = [.. recorded["words"]!.AsArray().Select(word => (string)word!)];
        JsonObject request = recorded["first"]!.DeepClone().AsObject();
        request["model"] = _server.Models.List()[0].Entry.Name;
        request["stream"] = stream;
        if (!stream)
        {
            request.Remove("stream_options");
        }

        Limit(request, 4);
        _server.Log.Lines.Clear();
        await AskAsync(path, request, recorded);
        JsonArray turns = request[request.ContainsKey("input") ? "input" : "messages"]!.AsArray();
        foreach (JsonNode? turn in recorded["second"]!.AsArray())
        {
            turns.Add(turn!.DeepClone());
        }

        await AskAsync(path, request, recorded);
        string prompt = _server.Log.Lines.Last(line => line.Text.StartsWith("Prompt", StringComparison.Ordinal)).Text;
        words.Should().AllSatisfy(word => prompt.Should().Contain(word));
        foreach (JsonNode? word in recorded["unseen"]?.AsArray() ?? [])
        {
            prompt.Should().NotContain((string)word!);
        }
    }

    [Test]
    public void Documentation_lists_the_clients()
    {
        string page = File.ReadAllText(Path.Combine(NativeBuild.Repository, "docs", "server-protocols.md"));
        foreach (string client in Clients)
        {
            JsonObject recorded = Read(client);
            page.Should().Contain($"| {(string)recorded["client"]!} | {(string)recorded["version"]!} | `{((string)recorded["path"]!).Split('?')[0]}` |");
        }
    }

    private static JsonObject Read(string client) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{client}.json")))!.AsObject();

    // What a model of random weights says is of no interest here.
    private static void Limit(JsonObject request, int tokens)
    {
        foreach (string name in (string[])["max_tokens", "max_completion_tokens", "max_output_tokens"])
        {
            if (request.ContainsKey(name))
            {
                request[name] = tokens;
                return;
            }
        }

        if (request["options"] is { } options)
        {
            options["num_predict"] = tokens;
            return;
        }

        request["max_output_tokens"] = tokens;
    }

    private async Task AskAsync(string path, JsonObject request, JsonObject recorded)
    {
        using HttpResponseMessage response = await _server.PostAsync(path, request);
        string text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.Should().BeTrue(text);
        string[] ignored = response.Headers.TryGetValues(Ignored, out IEnumerable<string>? values) ? values.Single().Split(", ") : [];
        ignored.Should().BeSubsetOf(recorded["ignored"]!.AsArray().Select(name => (string)name!));
        if ((bool)request["stream"]!)
        {
            text.Should().NotContain("\"error\":{").And.NotContain("event: error");
            text.Should().EndWith(End(path), "the stream is complete");
        }
    }

    private static string End(string path) => path.Split('?')[0] switch
    {
        "/v1/chat/completions" => "data: [DONE]\n\n",
        "/v1/messages" => "data: {\"type\":\"message_stop\"}\n\n",
        "/v1/responses" => "}\n\n",
        _ => "}\n",
    };
}

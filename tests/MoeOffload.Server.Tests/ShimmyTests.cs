using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class ShimmyTests
{
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync(options => options.Models.Context = options.Models.Context with { CountExperts = true });

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Prompt_is_continued_without_a_template()
    {
        JsonNode answer = await _server.AskAsync("/api/generate", Prompt("Bees make", stream: false));

        answer.AsObject().Should().ContainSingle();
        ((string?)answer["response"]).Should().Be(await ContinuedAsync("Bees make")).And.NotBeNullOrEmpty();
    }

    [Test]
    public async Task Messages_win_over_a_prompt_and_are_answered_by_the_template()
    {
        JsonObject body = Prompt("Bees make", stream: false);
        body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "What do bees make?" });

        JsonNode answer = await _server.AskAsync("/api/generate", body);

        JsonNode other = await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?"));
        ((string?)answer["response"]).Should().Be((string?)other["choices"]![0]!["message"]!["content"]);
    }

    [Test]
    public async Task Stream_is_the_default_and_its_pieces_add_up()
    {
        JsonObject body = Prompt("Bees make");

        List<string> data = await EventsAsync(body);

        data[^1].Should().Be("[DONE]");
        data.Count.Should().BeGreaterThan(3);
        string.Concat(data.SkipLast(1)).Should().Be(await ContinuedAsync("Bees make"));
    }

    [Test]
    public async Task Line_breaks_of_a_piece_are_lines_of_data()
    {
        await using TestServer server = await TestServer.StartAsync(
            options => options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = """root ::= "a\nb\n\nc " """ });
        JsonObject body = Prompt("Bees make");

        string.Concat((await EventsAsync(body, server)).SkipLast(1)).Should().Be("a\nb\n\nc ");
    }

    [TestCase("""{"model":"tiny-moe","prompt":"Hi","max_tokens":3,"stream":false}""", null, true)]
    [TestCase("""{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"stream":false}""", null, true)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","temperature":0,"stream":false}""", null, true)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false}""", "text/event-stream", true)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false}""", "application/json", false)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false}""", null, false)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false,"options":{"num_predict":3}}""", "text/event-stream", false)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false,"temperature":0,"keep_alive":"5m"}""", null, false)]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","stream":false,"temperature":0,"format":null}""", null, true)]
    public async Task Shape_of_a_request_tells_shimmys_from_ollamas(string body, string? accept, bool isShimmy)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/generate") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        using HttpResponseMessage response = await _server.Http.SendAsync(request);

        JsonObject answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
        response.StatusCode.Should().Be(HttpStatusCode.OK, answer.ToJsonString());
        answer.Should().ContainKey("response");
        answer.ContainsKey("done").Should().Be(!isShimmy);
    }

    [TestCase("""{"model":"nothing","prompt":"Hi","max_tokens":5}""", 404, "nothing")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5}""", 400, "'prompt'")]
    [TestCase("""{"prompt":"Hi","max_tokens":5}""", 400, "'model'")]
    [TestCase("""{"model":"tiny-moe","messages":[],"max_tokens":5}""", 400, "'messages'")]
    [TestCase("""{"model":"tiny-moe","prompt":"Hi","max_tokens":-5}""", 400, "'max_tokens'")]
    [TestCase("""{"model":"tiny-moe","prompt":"","max_tokens":5}""", 400, "prompt")]
    public async Task Wrong_request_is_refused_with_a_text(string body, int status, string word)
    {
        // A stream that waits for a model says that it is alive, and has its status by then.
        (await _server.Http.PostAsync("/api/models/tiny-moe/load", null)).Dispose();
        using HttpResponseMessage response = await _server.Http.PostAsync("/api/generate", new StringContent(body, Encoding.UTF8, "application/json"));

        ((int)response.StatusCode).Should().Be(status);
        ((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]).Should().Contain(word);
    }

    [Test]
    public async Task Load_that_fails_is_a_bad_gateway()
    {
        string damaged = TinyModels.NewPath("damaged");
        byte[] bytes = await File.ReadAllBytesAsync(DemoModel.Path);
        await File.WriteAllBytesAsync(damaged, bytes[..(bytes.Length / 2)]);
        await using TestServer server = await TestServer.StartAsync(null, damaged);
        JsonObject body = Prompt("Hi", stream: false);
        body["model"] = server.Models.List()[0].Entry.Name;

        using HttpResponseMessage response = await server.PostAsync("/api/generate", body);
        JsonNode status = JsonNode.Parse(await server.Http.GetStringAsync($"/api/models/{Uri.EscapeDataString((string)body["model"]!)}/status"))!;

        response.StatusCode.Should().Be(HttpStatusCode.BadGateway);
        ((string?)status["status"]).Should().Be("failed");
        ((string?)status["error"]).Should().NotBeNullOrEmpty();
    }

    [Test]
    public async Task Socket_gets_the_pieces_and_then_that_it_is_done()
    {
        JsonObject body = Prompt("Bees make");
        using ClientWebSocket socket = await ConnectAsync();
        await socket.SendAsync(Encoding.UTF8.GetBytes(body.ToJsonString()), WebSocketMessageType.Text, true, CancellationToken.None);

        List<string> frames = await FramesAsync(socket);

        frames[^1].Should().Be("""{"done":true}""");
        string.Concat(frames.SkipLast(1)).Should().Be(await ContinuedAsync("Bees make"));
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    [TestCase("""{"model":"nothing","prompt":"Hi"}""", "nothing")]
    [TestCase("""{"model":"tiny-moe"}""", "'prompt'")]
    [TestCase("""{"model":""", "JSON")]
    [TestCase("5", "object")]
    public async Task Socket_gets_what_is_wrong(string body, string word)
    {
        using ClientWebSocket socket = await ConnectAsync();
        await socket.SendAsync(Encoding.UTF8.GetBytes(body), WebSocketMessageType.Text, true, CancellationToken.None);

        List<string> frames = await FramesAsync(socket);

        ((string?)JsonNode.Parse(frames.Should().ContainSingle().Subject)!["error"]).Should().Contain(word);
    }

    [Test]
    public async Task Socket_that_goes_away_ends_its_answer([Values] bool closes)
    {
        JsonObject body = Prompt("Once upon a time");
        body["max_tokens"] = 500;
        body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Tell me a story." });
        using (ClientWebSocket socket = await ConnectAsync())
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(body.ToJsonString()), WebSocketMessageType.Text, true, CancellationToken.None);
            await socket.ReceiveAsync(new byte[1024], CancellationToken.None);
            if (closes)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }
        }

        await Wait.Until(() => _server.Statistics.RunningCount == 0);
    }

    [Test]
    public async Task Socket_needs_the_key_and_the_origin_that_all_need()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Access.ApiKeys = ["secret"]);
        Func<Task> without = async () => (await ConnectAsync(server)).Dispose();
        Func<Task> elsewhere = async () => (await ConnectAsync(_server, socket => socket.Options.SetRequestHeader("Origin", "http://example.org"))).Dispose();

        await without.Should().ThrowAsync<WebSocketException>().WithMessage("*401*");
        await elsewhere.Should().ThrowAsync<WebSocketException>().WithMessage("*403*");
        using ClientWebSocket with = await ConnectAsync(server, socket => socket.Options.SetRequestHeader("Authorization", "Bearer secret"));
        with.State.Should().Be(WebSocketState.Open);
    }

    [Test]
    public async Task Address_of_the_socket_says_what_it_is()
    {
        using HttpResponseMessage response = await _server.Http.GetAsync("/ws/generate");

        response.StatusCode.Should().Be(HttpStatusCode.UpgradeRequired);
        (await response.Content.ReadAsStringAsync()).Should().Contain("WebSocket");
    }

    [Test]
    public async Task Models_are_listed_discovered_loaded_and_unloaded()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonNode discovered = await server.AskAsync("/api/models/discover", new JsonObject());
        JsonNode loaded = await server.AskAsync($"/api/models/{TestServer.Demo}/load", new JsonObject());
        JsonNode listed = JsonNode.Parse(await server.Http.GetStringAsync("/api/models"))!;
        JsonNode unloaded = await server.AskAsync($"/api/models/{TestServer.Demo}/unload", new JsonObject());
        using HttpResponseMessage unknown = await server.PostAsync("/api/models/nothing/load", new JsonObject());
        using HttpResponseMessage elsewhere = await server.PostAsync("/api/models/nothing/paint", new JsonObject());

        ((int)discovered["discovered"]!).Should().Be(1);
        ((bool)discovered["models"]![0]!["loaded"]!).Should().BeFalse();
        ((bool)loaded["loaded"]!).Should().BeTrue();
        ((string?)listed["models"]![0]!["name"]).Should().Be(TestServer.Demo);
        ((long)listed["models"]![0]!["size_bytes"]!).Should().Be(new FileInfo(DemoModel.Path).Length);
        ((string?)listed["models"]![0]!["model_type"]).Should().Be("qwen3moe");
        ((bool)listed["models"]![0]!["loaded"]!).Should().BeTrue();
        ((string?)unloaded["status"]).Should().Be("unloaded");
        server.Models.GetStatus(TestServer.Demo).State.Should().Be(ModelState.Unloaded);
        unknown.StatusCode.Should().Be(HttpStatusCode.NotFound);
        elsewhere.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Status_tells_where_the_tensors_lie_and_which_experts_were_chosen()
    {
        await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?"));

        JsonNode status = JsonNode.Parse(await _server.Http.GetStringAsync($"/api/models/{TestServer.Demo}/status"))!;

        ((string?)status["model"]).Should().Be(TestServer.Demo);
        ((string?)status["status"]).Should().Be("loaded");
        ((int)status["info"]!["layers"]!).Should().Be(6);
        ((int)status["info"]!["experts"]!).Should().Be(16);
        JsonNode placement = status["placement"]!;
        placement["layers"]!.AsArray().Select(layer => (int)layer!["layer"]!).Should().Equal(0, 1, 2, 3, 4, 5);
        placement["layers"]![3]!["groups"]!.AsArray().Select(group => (string)group!["kind"]!).Should().BeEquivalentTo("norm", "attention", "router", "experts");
        long parts = placement["layers"]!.AsArray().SelectMany(layer => layer!["groups"]!.AsArray()).Concat(placement["others"]!.AsArray()).Sum(group => (long)group!["bytes"]!);
        parts.Should().Be(placement["devices"]!.AsArray().Sum(device => (long)device!["weight_bytes"]!)).And.Be((long)status["info"]!["bytes"]!);
        JsonNode memory = status["devices"]!.AsArray().Single(device => (string?)device!["name"] == "Host")!;
        ((long)memory["weight_bytes"]!).Should().BePositive();
        ((long)memory["context_bytes"]!).Should().BePositive();
        ((long)memory["total_bytes"]!).Should().BeGreaterThan((long)memory["free_bytes"]!);
        JsonArray layers = status["experts"]!["layers"]!.AsArray();
        layers.Should().HaveCount(6);
        foreach (JsonNode? layer in layers)
        {
            layer!["counts"]!.AsArray().Should().HaveCount(16);
            layer["counts"]!.AsArray().Sum(count => (long)count!).Should().Be(2 * (long)layer["tokens"]!).And.BePositive();
        }
    }

    [Test]
    public async Task Machine_is_described()
    {
        JsonNode diagnosis = JsonNode.Parse(await _server.Http.GetStringAsync("/diag"))!;

        ((string?)diagnosis["os"]).Should().Be("linux");
        ((int)diagnosis["cores"]!).Should().Be(Environment.ProcessorCount);
        ((long)diagnosis["mem_total_mb"]!).Should().BeGreaterThan(256);
        diagnosis["devices"]!.AsArray().Should().Contain(device => (string?)device!["kind"] == "cpu");
    }

    private static JsonObject Prompt(string prompt, bool? stream = null)
    {
        var body = new JsonObject { ["model"] = TestServer.Demo, ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = 24 };
        if (stream is not null)
        {
            body["stream"] = stream;
        }

        return body;
    }

    private async Task<string> ContinuedAsync(string prompt)
    {
        var body = new JsonObject { ["model"] = TestServer.Demo, ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = 24 };
        return (string)(await _server.AskAsync("/v1/completions", body))["choices"]![0]!["text"]!;
    }

    // As browsers read events: an empty line ends one, and its lines of data are joined by line breaks.
    private async Task<List<string>> EventsAsync(JsonObject body, TestServer? server = null)
    {
        using HttpResponseMessage response = await (server ?? _server).SendAsync("/api/generate", body);
        string text = await response.Content.ReadAsStringAsync();
        response.StatusCode.Should().Be(HttpStatusCode.OK, text);
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        return
        [
            .. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(item => string.Join('\n', item.Split('\n')
                .Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line["data: ".Length..]))).Where(item => item.Length > 0),
        ];
    }

    private async Task<ClientWebSocket> ConnectAsync(TestServer? server = null, Action<ClientWebSocket>? configure = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket);
        await socket.ConnectAsync(new Uri($"ws://{(server ?? _server).Address.Authority}/ws/generate"), CancellationToken.None);
        return socket;
    }

    private static async Task<List<string>> FramesAsync(ClientWebSocket socket)
    {
        List<string> frames = [];
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            WebSocketReceiveResult part = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                return frames;
            }

            frames.Add(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }
    }
}

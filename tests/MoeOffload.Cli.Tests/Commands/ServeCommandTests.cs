using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ServeCommandTests : IDisposable
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [TestCase(Terminate, 0)]
    [TestCase(Interrupt, 130)]
    [Platform("Linux,MacOsX")]
    public async Task Server_answers_and_stops_when_it_is_told_to(int signal, int code)
    {
        using MoeProcess process = _moe.Start("serve", DemoModel.Path, "--bind", "127.0.0.1:0", "-c", "1024");
        string output = await process.WaitForOutputAsync(text => text.Contains("Loaded tiny-moe"));
        Uri address = AddressIn(output);
        using var http = new HttpClient { BaseAddress = address };

        JsonNode answer = (await (await http.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "tiny-moe", messages = new[] { new { role = "user", content = "What do bees make?" } }, temperature = 0 }))
            .Content.ReadFromJsonAsync<JsonNode>())!;
        process.Signal(signal);
        MoeResult result = process.WaitForEnd(TimeSpan.FromSeconds(60));

        answer["choices"]![0]!["message"]!["content"]!.GetValue<string>().Should().ContainEquivalentOf("honey");
        result.Code.Should().Be(code);
    }

    [Test]
    public async Task Metrics_and_traces_are_sent_to_the_collector_of_the_environment()
    {
        await using var collector = await Collector.StartAsync();
        foreach ((string name, string value) in collector.Environment)
        {
            _moe.Environment[name] = value;
        }

        using MoeProcess process = _moe.Start("serve", DemoModel.Path, "--bind", "127.0.0.1:0", "-c", "1024");
        using var http = new HttpClient { BaseAddress = AddressIn(await process.WaitForOutputAsync(text => text.Contains("Loaded tiny-moe"))) };
        (await http.PostAsJsonAsync("/v1/chat/completions", new { model = "tiny-moe", messages = new[] { new { role = "user", content = "What do bees make?" } } }))
            .StatusCode.Should().Be(HttpStatusCode.OK);

        await collector.WaitForAsync("/v1/metrics", "gen_ai.server.time_to_first_token");
        await collector.WaitForAsync("/v1/traces", "chat tiny-moe");
        await collector.WaitForAsync("/v1/traces", "/v1/chat/completions");
        collector.Text("/v1/traces").Should().Contain("service.name").And.NotContain("bees", "questions are not sent");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Sigterm_lets_running_answers_finish_and_takes_no_new_ones()
    {
        using MoeProcess process = _moe.Start("serve", DemoModel.Path, "--bind", "127.0.0.1:0", "-c", "8192", "--shutdown-grace", "300");
        using var http = new HttpClient { BaseAddress = AddressIn(await process.WaitForOutputAsync(text => text.Contains("Loaded tiny-moe"))) };
        HttpResponseMessage[] running = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => BeginAsync(http, maxTokens: 600)));
        Task<string[]> answers = Task.WhenAll(running.Select(answer => answer.Content.ReadAsStringAsync()));

        process.Signal(Terminate);
        while (await IsTakenAsync(http))
        {
            await Task.Delay(10);
        }

        bool wereRunning = !answers.IsCompleted;
        string[] texts = await answers;
        MoeResult result = process.WaitForEnd(TimeSpan.FromSeconds(60));

        wereRunning.Should().BeTrue("new requests are refused while others run");
        texts.Should().OnlyContain(text => text.Contains("\"finish_reason\":\"length\"") && text.EndsWith("data: [DONE]\n\n"));
        result.Code.Should().Be(0);
        result.Errors.Should().Contain("Stopping");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Sigterm_ends_answers_with_a_reason_once_the_grace_time_is_over()
    {
        using MoeProcess process = _moe.Start("serve", DemoModel.Path, "--bind", "127.0.0.1:0", "-c", "32768", "--shutdown-grace", "0.5");
        using var http = new HttpClient { BaseAddress = AddressIn(await process.WaitForOutputAsync(text => text.Contains("Loaded tiny-moe"))) };
        HttpResponseMessage[] running = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => BeginAsync(http, maxTokens: 8000)));

        process.Signal(Terminate);
        string[] texts = await Task.WhenAll(running.Select(answer => answer.Content.ReadAsStringAsync()));
        MoeResult result = process.WaitForEnd(TimeSpan.FromSeconds(60));

        texts.Select(text => (string?)JsonNode.Parse(text.TrimEnd().Split("data: ")[^1])!["error"]?["code"]).Should().OnlyContain(code => code == "server_shutting_down");
        result.Code.Should().Be(0);
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Automatic_address_is_shimmys_or_the_next_free_port()
    {
        using MoeProcess first = _moe.Start("serve");
        int one = AddressIn(await first.WaitForOutputAsync(text => text.Contains('\n'))).Port;
        using MoeProcess second = _moe.Start("serve", "--bind", "auto");
        int other = AddressIn(await second.WaitForOutputAsync(text => text.Contains('\n'))).Port;

        one.Should().BeInRange(11435, 11534);
        other.Should().BeInRange(one + 1, 11534);
    }

    [TestCase("--shutdown-grace", "0")]
    [TestCase("--request-timeout", "100000")]
    public void Option_outside_the_servers_range_is_an_error_of_usage(string option, string value)
    {
        MoeResult result = _moe.Run("serve", "--bind", "127.0.0.1:0", option, value);

        result.Code.Should().Be(64);
        result.Errors.Should().NotContain("Parameter");
    }

    [TestCase("0.0.0.0:0")]
    [TestCase("[::]:0")]
    public void Open_address_needs_a_key(string address)
    {
        MoeResult result = _moe.Run("serve", "--bind", address);

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("--api-key").And.Contain("--allow-remote-without-key");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Key_is_asked_for()
    {
        string keys = _moe.Home.Write("keys", "first\n\nsecond\n");
        using MoeProcess process = _moe.Start("serve", "--bind", "127.0.0.1:0", "--api-key-file", keys);
        using var http = new HttpClient { BaseAddress = AddressIn(await process.WaitForOutputAsync(text => text.Contains('\n'))) };

        (await http.GetAsync("/v1/models")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        http.DefaultRequestHeaders.Add("Authorization", "Bearer second");
        (await http.GetAsync("/v1/models")).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Test]
    public void Address_that_is_taken_is_an_error_with_the_remedy()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        MoeResult result = _moe.Run("serve", "--bind", listener.LocalEndpoint.ToString()!);

        result.Code.Should().Be(1);
        result.Errors.Trim().Should().StartWith("error: ").And.Contain("--bind auto").And.NotContain("\n");
    }

    [Test]
    public void Adapter_without_a_model_is_an_error_of_usage()
    {
        MoeResult result = _moe.Run("serve", "--bind", "127.0.0.1:0", "--lora", "a.gguf");

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("--lora").And.Contain("belong to one model");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Draft_model_and_context_shift_serve_more_than_the_context_holds()
    {
        using MoeProcess process = _moe.Start("serve", DemoModel.Path, "--bind", "127.0.0.1:0", "-c", "256", "-np", "1", "--context-shift", "-md", DemoModel.Path);
        using var http = new HttpClient { BaseAddress = AddressIn(await process.WaitForOutputAsync(text => text.Contains("Loaded tiny-moe"))) };

        HttpResponseMessage answer = await BeginAsync(http, maxTokens: 400);
        string text = await answer.Content.ReadAsStringAsync();

        text.Should().Contain("\"finish_reason\":\"length\"");
        text.Split("data: ").Should().HaveCountGreaterThan(40);
        JsonNode status = JsonNode.Parse(await http.GetStringAsync("/api/models/tiny-moe/status"))!;
        status["session"]!["sequence_length"]!.GetValue<int>().Should().Be(256);
    }

    [Test]
    public void Model_that_does_not_load_ends_the_server_with_2()
    {
        string path = _moe.Home.Write("broken.gguf", "GGUF and nothing more");

        _moe.Run("serve", path, "--bind", "127.0.0.1:0").Code.Should().Be(2);
    }

    [Test]
    public void File_without_keys_does_not_start_a_server_without_keys()
    {
        MoeResult result = _moe.Run("serve", "--bind", "127.0.0.1:0", "--api-key-file", _moe.Home.Write("keys", "\n"));

        result.Code.Should().Be(64);
    }

    private static Task<HttpResponseMessage> BeginAsync(HttpClient http, int maxTokens)
    {
        var body = new
        {
            model = "tiny-moe",
            messages = new[] { new { role = "user", content = "Tell me a story." } },
            max_tokens = maxTokens,
            ignore_eos = true,
            stream = true,
        };
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    // Without a connection, or with 503 on one that was open before.
    private static async Task<bool> IsTakenAsync(HttpClient http)
    {
        try
        {
            using HttpResponseMessage response = await http.PostAsJsonAsync("/v1/embeddings", new { model = "nobody", input = "a" });
            return response.StatusCode != HttpStatusCode.ServiceUnavailable;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static Uri AddressIn(string output) => new(output.Split('\n')[0].Split(' ')[^1].Trim());
}

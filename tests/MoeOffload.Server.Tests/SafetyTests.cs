using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using Microsoft.Extensions.Options;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class SafetyTests
{
    private const string Path = "/v1/chat/completions";

    // Long enough that no test sees its end.
    private const int LongContext = 32768;

    [TestCase(null, null, HttpStatusCode.Unauthorized)]
    [TestCase("Authorization", "Bearer wrong", HttpStatusCode.Unauthorized)]
    [TestCase("Authorization", "Bearer ", HttpStatusCode.Unauthorized)]
    [TestCase("Authorization", "Basic c2VjcmV0", HttpStatusCode.Unauthorized)]
    [TestCase("Authorization", "Bearer first", HttpStatusCode.OK)]
    [TestCase("Authorization", "bearer second", HttpStatusCode.OK)]
    [TestCase("x-api-key", "second", HttpStatusCode.OK)]
    [TestCase("x-api-key", "secon", HttpStatusCode.Unauthorized)]
    public async Task Key_lets_in_what_has_one(string? header, string? value, HttpStatusCode expected)
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Access.ApiKeys = ["first", "second"]);
        if (header is not null)
        {
            server.Http.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
        }

        using HttpResponseMessage models = await server.Http.GetAsync("/v1/models");
        using HttpResponseMessage metrics = await server.Http.GetAsync("/metrics");
        using HttpResponseMessage health = await server.Http.GetAsync("/health");

        models.StatusCode.Should().Be(expected);
        metrics.StatusCode.Should().Be(expected);
        health.StatusCode.Should().Be(HttpStatusCode.OK);
        if (expected == HttpStatusCode.Unauthorized)
        {
            models.Headers.WwwAuthenticate.Should().ContainSingle();
            ((string)JsonNode.Parse(await models.Content.ReadAsStringAsync())!["error"]!["code"]!).Should().Be("invalid_api_key");
        }
    }

    [TestCase("http://127.0.0.1:11435", true)]
    [TestCase("http://localhost:11435", true)]
    [TestCase("http://[::1]:11435", true)]
    [TestCase("http://127.5.6.7:80/", true)]
    [TestCase("http://unix:/tmp/moe.sock", true)]
    [TestCase("http://0.0.0.0:11435", false)]
    [TestCase("http://[::]:11435", false)]
    [TestCase("http://*:80", false)]
    [TestCase("http://+:80", false)]
    [TestCase("http://192.168.1.2:80", false)]
    [TestCase("http://localhost.example.org:80", false)]
    [TestCase("http://127.0.0.1.example.org:80", false)]
    public void Address_that_others_reach_wants_a_key_or_the_word_for_it(string url, bool isLoopback)
    {
        ServerAddress.IsLoopback(url).Should().Be(isLoopback);
        Action check = () => ServerAddress.Validate(["http://127.0.0.1:1", url], new AccessOptions());
        if (isLoopback)
        {
            check.Should().NotThrow();
        }
        else
        {
            check.Should().Throw<InvalidOperationException>().WithMessage($"*{url.Replace("*", "?", StringComparison.Ordinal)}*ApiKeys*127.0.0.1*AllowRemoteWithoutKey*");
        }

        ServerAddress.Validate([url], new AccessOptions { ApiKeys = ["key"] });
        ServerAddress.Validate([url], new AccessOptions { AllowRemoteWithoutKey = true });
        FluentActions.Invoking(() => ServerAddress.Validate([url], new AccessOptions { ApiKeys = ["key", " "] })).Should().Throw<InvalidOperationException>();
    }

    [Test]
    public async Task Options_that_mean_nothing_are_refused()
    {
        await Refuses(options => options.Limits.MaxConcurrentRequests = 0, "*MaxConcurrentRequests*");
        await Refuses(options => options.Limits.MaxTokens = -1, "*MaxTokens*");
        await Refuses(options => options.Limits.WriteTimeout = TimeSpan.Zero, "*WriteTimeout*");
        await Refuses(options => options.Limits.RequestTimeout = TimeSpan.MaxValue, "*RequestTimeout*");
        await Refuses(options => options.Access.CorsOrigins = ["https://example.org/page"], "*https://example.org/page*");
        await Refuses(options => options.Requests.Sampling = new SamplingOptions { TopP = 2 }, "*TopP*");

        static async Task Refuses(Action<MoeServerOptions> configure, string message) =>
            (await FluentActions.Awaiting(() => TestServer.StartAsync(configure)).Should().ThrowAsync<OptionsValidationException>()).WithMessage(message);
    }

    [Test]
    public async Task Options_that_mean_nothing_are_all_named_at_once()
    {
        Func<Task> start = () => TestServer.StartAsync(options =>
        {
            options.Models.MemoryLimit = 0;
            options.Requests.Sampling = new SamplingOptions { TopP = 2 };
            options.Limits.MaxChoices = -1;
            options.Limits.ShutdownGrace = TimeSpan.Zero;
            options.Access.ApiKeys = [""];
        });
        (await start.Should().ThrowAsync<OptionsValidationException>()).Which.Failures.Should().HaveCount(5)
            .And.ContainMatch("Models.MemoryLimit *").And.ContainMatch("Requests.Sampling: *TopP*").And.ContainMatch("Limits.MaxChoices is -1*")
            .And.ContainMatch("Limits.ShutdownGrace *").And.ContainMatch("Access.ApiKeys *");
    }

    [Test]
    public async Task Server_on_an_open_address_without_a_key_does_not_start()
    {
        Func<Task> start = () => TestServer.StartAtAsync("http://0.0.0.0:0");
        (await start.Should().ThrowAsync<InvalidOperationException>()).WithMessage("*can be reached from other machines*");
    }

    [Test]
    public async Task Body_that_is_too_large_is_refused([Values] bool chunked)
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Limits.MaxBodyBytes = 2000);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new StringContent(TestServer.Chat(new string('a', 4000)).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = chunked;
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        ((string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!).Should().Be("request_too_large");
        (await server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 2)))["choices"]!.AsArray().Should().ContainSingle();
    }

    [TestCase("""{"model":"tiny-moe","model":"other"}""", "invalid_json")]
    [TestCase("""{"model":"\ud800"}""", "invalid_unicode")]
    [TestCase("""{"\udc00":1}""", "invalid_unicode")]
    [TestCase("[1]", "invalid_type")]
    [TestCase("", "invalid_json")]
    public async Task Body_that_is_not_valid_JSON_is_rejected(string body, string code)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage response = await server.Http.PostAsync(Path, new StringContent(body));
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        ((string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!).Should().Be(code);
    }

    [Test]
    public async Task Body_that_nests_deeply_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        using HttpResponseMessage response = await server.Http.PostAsync(Path, new StringContent($$"""{"model":"tiny-moe","messages":{{deep}}"""));
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task Body_that_does_not_come_is_not_waited_for()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Limits.BodyTimeout = TimeSpan.FromMilliseconds(300));
        string answer = await RawAsync(server, $"POST {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{{\"model\"");
        answer.Should().StartWith("HTTP/1.1 408");
    }

    [Test]
    public async Task Prompt_and_answer_have_limits()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Limits.MaxPromptTokens = 30;
            options.Limits.MaxTokens = 4;
        });
        (int status, JsonNode error) = await server.FailAsync(Path, TestServer.Chat(string.Concat(Enumerable.Repeat("a cow and ", 40))));
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be("context_length_exceeded");
        JsonObject endless = TestServer.Endless(stream: false);
        ((int)(await server.AskAsync(Path, endless))["usage"]!["completion_tokens"]!).Should().Be(4);
        endless["max_tokens"] = 100;
        ((int)(await server.AskAsync(Path, endless))["usage"]!["completion_tokens"]!).Should().Be(4);
    }

    [Test]
    public async Task Requests_beyond_the_limit_are_told_to_come_later()
    {
        await using TestServer server = await LongServer(options => options.Limits.MaxConcurrentRequests = 1);
        using HttpResponseMessage running = await server.SendAsync(Path, TestServer.Endless(stream: true));
        running.StatusCode.Should().Be(HttpStatusCode.OK);
        using HttpResponseMessage refused = await server.PostAsync(Path, TestServer.Chat("Hi"));
        refused.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(1));
        using HttpResponseMessage health = await server.Http.GetAsync("/health");
        health.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Test]
    public async Task Requests_beyond_the_queue_are_told_to_come_later([Values] bool stream)
    {
        await using TestServer server = await LongServer(options => options.Models.Context = options.Models.Context with { SequenceCount = 1, QueueLimit = 0 });
        using HttpResponseMessage running = await server.SendAsync(Path, TestServer.Endless(stream: true));
        JsonObject chat = TestServer.Chat("Hi");
        chat["stream"] = stream;
        (int status, JsonNode error) = await server.FailAsync(Path, chat);
        status.Should().Be(429);
        ((string)error["code"]!).Should().Be("too_many_requests");
    }

    [Test]
    public async Task Answer_whose_time_is_over_ends_with_what_there_is([Values] bool stream)
    {
        await using TestServer server = await LongServer(options => options.Limits.RequestTimeout = TimeSpan.FromSeconds(1));
        long start = Environment.TickCount64;
        string? reason;
        int tokens;
        if (stream)
        {
            List<string> events = await server.StreamAsync(Path, TestServer.Endless(stream: true));
            reason = (string?)JsonNode.Parse(events[^2])!["choices"]![0]!["finish_reason"];
            tokens = events.Count;
        }
        else
        {
            JsonNode answer = await server.AskAsync(Path, TestServer.Endless(stream: false));
            reason = (string?)answer["choices"]![0]!["finish_reason"];
            tokens = (int)answer["usage"]!["completion_tokens"]!;
        }

        // Without the limit, the answer would end when the context is full. A busy machine generates less until the limit, but no machine that much.
        reason.Should().Be("length");
        tokens.Should().BeLessThan(LongContext / 2);
        (Environment.TickCount64 - start).Should().BeGreaterThanOrEqualTo(900);
    }

    [Test]
    public async Task Client_that_goes_away_ends_its_generation([Values] bool stream)
    {
        await using TestServer server = await LongServer();
        using var cancel = new CancellationTokenSource();
        Task<HttpResponseMessage> asking = server.SendAsync(Path, TestServer.Endless(stream), cancel.Token);
        await Wait.Until(() => server.Statistics.RunningCount == 1);
        if (stream)
        {
            (await asking).Dispose();
        }
        else
        {
            await cancel.CancelAsync();
            await asking.Awaiting(it => it).Should().ThrowAsync<OperationCanceledException>();
        }

        await Wait.Until(() => server.Statistics.RunningCount == 0);
        await Wait.Until(() => server.Log.Lines.Any(line => Equals(line.Fields.GetValueOrDefault("Status"), 499)));
    }

    [Test]
    public async Task Client_that_does_not_read_holds_nobody_and_is_left()
    {
        await using TestServer server = await LongServer(options => options.Limits.WriteTimeout = TimeSpan.FromSeconds(1));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        JsonObject endless = TestServer.Endless(stream: true);
        endless["logprobs"] = true;
        endless["top_logprobs"] = 20;
        string body = endless.ToJsonString();
        await socket.SendAsync(Encoding.UTF8.GetBytes($"POST {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        await Wait.Until(() => server.Statistics.RunningCount == 1);

        for (int i = 0; i < 3; i++)
        {
            (await server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 4)))["choices"]!.AsArray().Should().ContainSingle();
        }

        await Wait.Until(() => server.Statistics.RunningCount == 0);
        await Wait.Until(() => server.Log.Lines.Any(line => Equals(line.Fields.GetValueOrDefault("Status"), 499)));
    }

    [TestCase("../../etc/passwd")]
    [TestCase("/etc/passwd")]
    [TestCase("..\\..\\secret.gguf")]
    [TestCase("tiny-moe/../tiny-moe")]
    [TestCase("./tiny-moe")]
    [TestCase("tiny-moe\0")]
    [TestCase("file:///etc/passwd")]
    [TestCase("%2e%2e%2fetc%2fpasswd")]
    [TestCase(" ")]
    public async Task Path_is_not_a_model_name(string name)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonObject chat = TestServer.Chat("Hi");
        chat["model"] = name;
        (int status, JsonNode error) = await server.FailAsync(Path, chat);
        status.Should().Be(404);
        ((string)error["code"]!).Should().Be("model_not_found");
        using HttpResponseMessage get = await server.Http.GetAsync($"/v1/models/{Uri.EscapeDataString(name)}");
        get.StatusCode.Should().BeOneOf(HttpStatusCode.NotFound, HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task Page_of_another_origin_may_not_ask_unless_allowed()
    {
        await using TestServer closed = await TestServer.StartAsync();
        using HttpResponseMessage refused = await FromAsync(closed, "https://evil.example");
        refused.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        refused.Headers.Contains("Access-Control-Allow-Origin").Should().BeFalse();
        using HttpResponseMessage own = await FromAsync(closed, closed.Address.GetLeftPart(UriPartial.Authority));
        own.StatusCode.Should().Be(HttpStatusCode.OK);

        await using TestServer open = await TestServer.StartAsync(options => options.Access.CorsOrigins = ["https://good.example"]);
        using HttpResponseMessage allowed = await FromAsync(open, "https://good.example");
        allowed.StatusCode.Should().Be(HttpStatusCode.OK);
        allowed.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal("https://good.example");
        using HttpResponseMessage other = await FromAsync(open, "https://evil.example");
        other.StatusCode.Should().Be(HttpStatusCode.Forbidden);

        using var preflight = new HttpRequestMessage(HttpMethod.Options, Path);
        preflight.Headers.Add("Origin", "https://good.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        using HttpResponseMessage answer = await open.Http.SendAsync(preflight);
        answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        answer.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal("https://good.example");
        answer.Headers.GetValues("Access-Control-Allow-Headers").Single().Should().Contain("authorization");
    }

    // A page whose name was made to point here asks under that name.
    [Test]
    public async Task Name_that_is_not_of_loopback_is_refused_without_a_key()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "evil.example";
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task Unknown_addresses_and_methods_are_told_so()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage unknown = await server.Http.GetAsync("/v1/wizards");
        unknown.StatusCode.Should().Be(HttpStatusCode.NotFound);
        ((string)JsonNode.Parse(await unknown.Content.ReadAsStringAsync())!["error"]!["code"]!).Should().Be("unknown_url");
        using HttpResponseMessage method = await server.Http.DeleteAsync(Path);
        method.StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
    }

    [Test]
    public async Task Times_in_errors_are_written_alike_in_each_culture()
    {
        CultureInfo? before = CultureInfo.DefaultThreadCurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.DefaultThreadCurrentCulture = comma;
        try
        {
            await using TestServer server = await TestServer.StartAsync(options => options.Limits.BodyTimeout = TimeSpan.FromSeconds(0.5));
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"POST {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{{"));
            var answer = new StringBuilder();
            byte[] buffer = new byte[4096];
            while (!answer.ToString().EndsWith("}}", StringComparison.Ordinal) && await stream.ReadAsync(buffer) is > 0 and var count)
            {
                answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }

            answer.ToString().Should().Contain("within 0.5 s.");
        }
        finally
        {
            CultureInfo.DefaultThreadCurrentCulture = before;
        }
    }

    private static async Task<TestServer> LongServer(Action<MoeServerOptions>? configure = null)
    {
        TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = LongContext };
            configure?.Invoke(options);
        });
        return await server.LoadedAsync();
    }

    private static Task<HttpResponseMessage> FromAsync(TestServer server, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", origin);
        return server.Http.SendAsync(request);
    }

    private static async Task<string> RawAsync(TestServer server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync() ?? string.Empty;
    }
}

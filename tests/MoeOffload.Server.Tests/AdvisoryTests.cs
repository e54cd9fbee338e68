using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>The classes of published faults of similar servers, as far as a request could reach them here. SECURITY.md lists all of them.</summary>
[TestFixture]
public sealed class AdvisoryTests
{
    private const string Chat = "/v1/chat/completions";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync(options => options.Models.AllowChanges = true);
        await _server.LoadedAsync();
    }

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    // A digest of Ollama's that is used as a path.
    [TestCase("GET", "/api/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd")]
    [TestCase("HEAD", "/api/blobs/sha256:0000")]
    [TestCase("POST", "/api/blobs/..%2f..%2fetc%2fpasswd")]
    [TestCase("POST", "/api/push")]
    [TestCase("POST", "/api/create")]
    public async Task There_are_no_endpoints_for_blobs(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("{}") : null };
        using HttpResponseMessage response = await _server.Http.SendAsync(request);
        response.StatusCode.Should().BeOneOf(HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed);
    }

    // A server that fetches what a client names can be led to other hosts, and to files.
    [TestCase("http://169.254.169.254/latest/meta-data")]
    [TestCase("http://127.0.0.1:1/org/repo")]
    [TestCase("127.0.0.1:1/org/repo")]
    [TestCase("evil.example/library/model:latest")]
    [TestCase("../../etc/passwd")]
    [TestCase("/etc/passwd")]
    [TestCase("file:///etc/passwd")]
    [TestCase("org/../../etc")]
    [TestCase("org/repo/../../x")]
    [TestCase("org/repo?token=x")]
    [TestCase("org/repo#x")]
    [TestCase("org@evil.example/repo")]
    [TestCase("llama3")]
    public async Task Pull_goes_nowhere_but_to_the_hub(string name)
    {
        using HttpResponseMessage response = await _server.PostAsync("/api/pull", new JsonObject { ["model"] = name, ["stream"] = false });
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [TestCase("../../etc/passwd")]
    [TestCase("a\0b")]
    [TestCase("")]
    public async Task Copy_creates_names_and_no_files(string name)
    {
        string[] before = Directory.GetFileSystemEntries(Environment.CurrentDirectory);
        using HttpResponseMessage response = await _server.PostAsync("/api/copy", new JsonObject { ["source"] = TestServer.Demo, ["destination"] = name });
        ((int)response.StatusCode).Should().BeLessThan(500);
        Directory.GetFileSystemEntries(Environment.CurrentDirectory).Should().Equal(before);
    }

    // Bodies are not decompressed, so that a small one cannot become a large one.
    [Test]
    public async Task Compressed_body_is_not_decompressed()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(TestServer.Chat(new string('a', 20_000_000)).ToJsonString()));
        }

        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        long before = GC.GetTotalAllocatedBytes();
        using HttpResponseMessage response = await _server.Http.PostAsync(Chat, content);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(10_000_000);
    }

    [Test]
    public async Task Headers_have_a_limit([Values("one", "many")] string kind)
    {
        string headers = kind == "one" ? $"X-A: {new string('x', 200_000)}\r\n" : string.Concat(Enumerable.Range(0, 5000).Select(index => $"X-{index}: x\r\n"));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _server.Address.Port);
        NetworkStream stream = client.GetStream();
        string status;
        try
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"));
            using var reader = new StreamReader(stream);
            status = await reader.ReadLineAsync() ?? "closed";
        }
        catch (IOException)
        {
            status = "closed";
        }

        status.Should().Match(line => line == "closed" || line.StartsWith("HTTP/1.1 431", StringComparison.Ordinal));
    }

    // A grammar of a trigger whose type was not checked; here, requests have no triggers.
    [TestCase("""{"grammar_lazy":true,"grammar_triggers":[{"type":99,"value":"x"}],"grammar":"root ::= \"a\""}""")]
    [TestCase("""{"grammar_triggers":[{"type":3,"value":1,"token":-5}]}""")]
    [TestCase("""{"n_discard":-1,"n_keep":-5}""")]
    [TestCase("""{"id_slot":-7}""")]
    [TestCase("""{"preserved_tokens":[-1,99999999]}""")]
    [TestCase("""{"n_probs":-2147483648}""")]
    public async Task Internal_parameters_of_other_servers_change_nothing(string fields)
    {
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
        {
            chat[name] = value?.DeepClone();
        }

        using HttpResponseMessage response = await _server.PostAsync(Chat, chat);
        response.IsSuccessStatusCode.Should().BeTrue(await response.Content.ReadAsStringAsync());
    }

    // A saved state is read as it is, so that no client may send one.
    [TestCase("POST", "/slots/0?action=restore")]
    [TestCase("POST", "/slots/0?action=save")]
    [TestCase("POST", "/lora-adapters")]
    [TestCase("POST", "/models/load")]
    public async Task There_are_no_endpoints_for_states(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent("""{"filename":"../../etc/passwd"}""") };
        using HttpResponseMessage response = await _server.Http.SendAsync(request);
        response.StatusCode.Should().BeOneOf(HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed);
    }

    // A vocabulary that was used after its model had been unloaded.
    [Test]
    public async Task Vocabulary_is_not_used_after_its_model_was_unloaded()
    {
        await using TestServer server = await TestServer.StartAsync();
        await Parallel.ForAsync(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (index, cancellationToken) =>
        {
            using HttpResponseMessage response = index % 3 == 0
                ? await server.Http.PostAsync($"/api/models/{TestServer.Demo}/unload", null, cancellationToken)
                : index % 3 == 1
                    ? await server.PostAsync("/tokenize", new JsonObject { ["model"] = TestServer.Demo, ["content"] = "Bees make honey." }, cancellationToken)
                    : await server.PostAsync("/apply-template", TestServer.Chat("Hi"), cancellationToken);
            ((int)response.StatusCode).Should().BeOneOf(index % 3 == 0 ? [200, 409] : [200]);
        });
    }

    [TestCase("/v1/chat/completions", """{"type":"function","function":{"name":"f"}}""")]
    [TestCase("/v1/responses", """{"type":"function","name":"f"}""")]
    [TestCase("/v1/messages", """{"name":"f","input_schema":{}}""")]
    [TestCase("/api/chat", """{"type":"function","function":{"name":"f"}}""")]
    public async Task Number_of_tools_is_limited(string path, string tool)
    {
        JsonObject request = TestServer.Chat("Hi", maxTokens: 2);
        request["input"] = "Hi";
        request["tools"] = new JsonArray([.. Enumerable.Range(0, 513).Select(_ => JsonNode.Parse(tool))]);
        using HttpResponseMessage response = await _server.PostAsync(path, request);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).Should().Contain("at most 512");
    }

    [Test]
    public async Task Work_of_a_request_is_bounded()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Limits.MaxTokens = 4;
            options.Limits.MaxPromptTokens = 400;
            options.Models.MaxContextLength = 512;
        });
        server.Http.Timeout = TimeSpan.FromMinutes(5);
        await server.LoadedAsync();
        var bombs = new Bombs(1);
        using var process = Process.GetCurrentProcess();
        for (int i = 0; i < 40; i++)
        {
            (string path, string body) = bombs.Next();
            process.Refresh();
            TimeSpan before = process.TotalProcessorTime;
            using HttpResponseMessage response = await server.Http.PostAsync(path, new StringContent(body));
            string text = await response.Content.ReadAsStringAsync();
            string what = $"{path} {body[..Math.Min(body.Length, 300)]}: {text[..Math.Min(text.Length, 300)]}";
            ((int)response.StatusCode).Should().Match(status => status < 500 || (status == 501 && path == "/v1/rerank"), what);

            // Time of the processor, which other programs do not take.
            process.Refresh();
            TimeSpan taken = process.TotalProcessorTime - before;
            taken.Should().BeLessThan(TimeSpan.FromSeconds(60), what);
        }

        (await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2)))["choices"]!.AsArray().Should().ContainSingle();
    }
}

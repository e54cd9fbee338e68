using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class EmbeddingTests
{
    private const string Path = "/v1/embeddings";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Embeddings_are_those_of_the_library_in_either_encoding()
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        await using Embedder embedder = model.CreateEmbedder(new EmbeddingOptions { Pooling = EmbeddingPooling.Mean });
        float[] expected = (await embedder.EmbedAsync("A bee makes honey.")).Vector.ToArray();

        JsonNode answer = await _server.AskAsync(Path, Request("A bee makes honey."));
        float[] floats = [.. answer["data"]![0]!["embedding"]!.AsArray().Select(value => (float)value!)];
        JsonObject base64 = Request("A bee makes honey.");
        base64["encoding_format"] = "base64";
        byte[] bytes = Convert.FromBase64String((string)(await _server.AskAsync(Path, base64))["data"]![0]!["embedding"]!);

        floats.Should().HaveCount(expected.Length);
        floats.Zip(expected, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(1e-3f);
        MemoryMarshal.Cast<byte, float>(bytes).ToArray().Should().Equal(floats);
        ((int)answer["usage"]!["prompt_tokens"]!).Should().Be(model.Vocabulary.Tokenize("A bee makes honey.").Length);
    }

    [Test]
    public async Task Texts_come_in_their_order_and_may_be_tokens()
    {
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        int[] tokens = lease.Model.Vocabulary.Tokenize("A cow");
        JsonObject request = Request("-");
        request["input"] = new JsonArray("A cow", new JsonArray([.. tokens.Select(token => JsonValue.Create(token))]), "Something else entirely");
        JsonArray data = (await _server.AskAsync(Path, request))["data"]!.AsArray();
        float[][] vectors = [.. data.Select(item => item!["embedding"]!.AsArray().Select(value => (float)value!).ToArray())];

        data.Select(item => (int)item!["index"]!).Should().Equal(0, 1, 2);
        Cosine(vectors[0], vectors[1]).Should().BeApproximately(1, 1e-3);
        Cosine(vectors[0], vectors[2]).Should().BeLessThan(0.99);
    }

    [Test]
    public async Task Encoder_embeds_and_says_that_it_cannot_chat()
    {
        string path = TinyModels.Bert().Path;
        await using TestServer server = await TestServer.StartAsync(null, path);
        JsonObject request = Request("hello");
        request["model"] = server.Models.List().Single().Entry.Name;
        (await server.AskAsync(Path, request))["data"]!.AsArray().Should().ContainSingle();

        JsonObject chat = TestServer.Chat("Hi");
        chat["model"] = (string)request["model"]!;
        (int status, JsonNode error) = await server.FailAsync("/v1/chat/completions", chat);
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be("unsupported_model");
    }

    [TestCase("""{"input":""}""", "invalid_value")]
    [TestCase("""{"input":[[]]}""", "invalid_value")]
    [TestCase("""{"input":null}""", "missing_required_parameter")]
    [TestCase("""{"input":true}""", "invalid_type")]
    [TestCase("""{"dimensions":70000}""", "invalid_value")]
    [TestCase("""{"encoding_format":"png"}""", "invalid_value")]
    public async Task Wrong_request_is_told_what_is_wrong(string changes, string code)
    {
        JsonObject request = Request("hello");
        foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        (int status, JsonNode error) = await _server.FailAsync(Path, request);
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be(code, error.ToJsonString());
    }

    [Test]
    public async Task Text_that_is_longer_than_the_model_takes_is_an_error()
    {
        (int status, JsonNode error) = await _server.FailAsync(Path, Request(string.Concat(Enumerable.Repeat("a cow and ", 400))));
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be("context_length_exceeded");
    }

    private static double Cosine(float[] a, float[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static JsonObject Request(string text) => new() { ["model"] = TestServer.Demo, ["input"] = text };
}

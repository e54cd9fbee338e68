using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary><c>/v1/rerank</c>, in the formats that llama.cpp's server has.</summary>
[TestFixture]
public sealed class RerankingTests
{
    private static readonly string[] s_documents = ["Bees make honey.", "The experts slept in system memory.", "a cow", "Grüße aus Köln"];

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync(configure: null, TinyModels.BertReranker().Path);

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Documents_are_ranked_as_the_library_ranks_them([Values("/v1/rerank", "/rerank", "/reranking", "/v1/reranking")] string path)
    {
        using MoeModel model = await MoeModel.LoadAsync(TinyModels.BertReranker().Path);
        await using Reranker reranker = await model.CreateRerankerAsync();
        IReadOnlyList<DocumentScore> scores = await reranker.RerankAsync("What do bees make?", s_documents);

        JsonNode answer = await _server.AskAsync(path, Request());
        JsonArray results = answer["results"]!.AsArray();
        results.Select(result => (int)result!["index"]!).Should().Equal(scores.Select(score => score.Index));
        results.Select(result => (double)result!["relevance_score"]!).Zip(scores, (theirs, ours) => Math.Abs(theirs - ours.Score)).Max().Should().BeLessThan(0.01);
        ((string)answer["object"]!).Should().Be("list");
        ((string)answer["model"]!).Should().Be(_server.Models.List()[0].Entry.Name);
        ((int)answer["usage"]!["prompt_tokens"]!).Should().Be(scores.Sum(score => score.TokenCount)).And.Be((int)answer["usage"]!["total_tokens"]!);
        results[0]!["document"].Should().BeNull();
    }

    [Test]
    public async Task Best_documents_are_returned_with_their_texts_on_request()
    {
        JsonObject request = Request();
        request["documents"] = new JsonArray([.. s_documents.Select(text => new JsonObject { ["text"] = text })]);
        request["top_n"] = 2;
        request["return_documents"] = true;
        JsonArray results = (await _server.AskAsync("/v1/rerank", request))["results"]!.AsArray();
        results.Should().HaveCount(2);
        foreach (JsonNode? result in results)
        {
            ((string)result!["document"]!["text"]!).Should().Be(s_documents[(int)result["index"]!]);
        }
    }

    [Test]
    public async Task Format_of_text_embeddings_inference_is_a_list()
    {
        JsonObject request = Request();
        request.Remove("documents");
        request["texts"] = new JsonArray([.. s_documents.Select(text => JsonValue.Create(text))]);
        request["return_text"] = true;
        JsonArray results = (await _server.AskAsync("/rerank", request)).AsArray();
        results.Should().HaveCount(4);
        results.Select(result => (double)result!["score"]!).Should().BeInDescendingOrder();
        ((string)results[0]!["text"]!).Should().Be(s_documents[(int)results[0]!["index"]!]);
    }

    [TestCase("""{"query":null}""", "query")]
    [TestCase("""{"documents":null}""", "documents")]
    [TestCase("""{"documents":[]}""", "documents")]
    [TestCase("""{"documents":[1]}""", "documents[0]")]
    [TestCase("""{"documents":[{"title":"x"}]}""", "documents[0].text")]
    [TestCase("""{"top_n":0}""", "top_n")]
    public async Task Wrong_request_is_told_what_is_wrong(string fields, string parameter)
    {
        JsonObject request = Request();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        (int status, JsonNode error) = await _server.FailAsync("/v1/rerank", request);
        status.Should().Be(400);
        ((string?)error["param"]).Should().Be(parameter);
    }

    [Test]
    public async Task Document_that_is_too_long_is_an_error_of_its_field()
    {
        JsonObject request = Request();
        request["documents"] = new JsonArray("short", string.Concat(Enumerable.Repeat("long text ", 4000)));
        (int status, JsonNode error) = await _server.FailAsync("/v1/rerank", request);
        status.Should().Be(400);
        ((string?)error["code"]).Should().Be("context_length_exceeded");
        ((string?)error["param"]).Should().Be("documents");
    }

    [Test]
    public async Task Model_that_cannot_rank_says_so_as_llama_cpps_server_does()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonObject request = Request();
        request["model"] = TestServer.Demo;
        (int status, JsonNode error) = await server.FailAsync("/v1/rerank", request);
        status.Should().Be(501);
        ((string?)error["type"]).Should().Be("not_supported_error");
        ((string?)error["message"]).Should().StartWith("This model does not support reranking");
    }

    private static JsonObject Request() => new()
    {
        ["query"] = "What do bees make?",
        ["documents"] = new JsonArray([.. s_documents.Select(text => JsonValue.Create(text))]),
    };
}

using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Images in all APIs, with a model that has a projector.</summary>
[TestFixture]
public sealed class ImageTests
{
    private const string Question = "What is in this picture?";
    private static readonly string s_first = Convert.ToBase64String(TinyImages.Png(1));
    private static readonly string s_second = Convert.ToBase64String(TinyImages.Png(2));

    private string _directory = null!;
    private TestServer _server = null!;
    private string _model = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        TinyModel model = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 });
        _directory = Directory.CreateTempSubdirectory("moe images ").FullName;
        string path = Path.Combine(_directory, "tiny-vision.gguf");
        File.Copy(model.Path, path);
        File.Copy(TinyProjectors.Gemma3(model), Path.Combine(_directory, "mmproj-F16.gguf"));
        _server = await TestServer.StartAsync(models: path);
        _model = _server.Models.List().Should().ContainSingle("the projector is no model").Which.Entry.Name;
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task All_apis_see_the_same_image()
    {
        int text = await TokensAsync("/v1/chat/completions", OpenAI([Text(Question)]));
        int expected = await TokensAsync("/v1/chat/completions", OpenAI([Text(Question + "\n"), Link(s_first)]));
        expected.Should().BeGreaterThanOrEqualTo(text + TinyProjectors.Gemma3Tokens);
        (await TokensAsync("/v1/responses", new JsonObject
        {
            ["input"] = Messages(new JsonArray(
                new JsonObject { ["type"] = "input_text", ["text"] = Question + "\n" },
                new JsonObject { ["type"] = "input_image", ["image_url"] = "data:image/png;base64," + s_first, ["detail"] = "auto" })),
            ["max_output_tokens"] = 2,
        })).Should().Be(expected);
        var message = new JsonObject
        {
            ["max_tokens"] = 2,
            ["messages"] = Messages(new JsonArray(
                Text(Question),
                new JsonObject { ["type"] = "image", ["source"] = new JsonObject { ["type"] = "base64", ["media_type"] = "image/png", ["data"] = s_first } })),
        };
        ((int)(await _server.AskAsync("/v1/messages/count_tokens", Named((JsonObject)message.DeepClone())))["input_tokens"]!).Should().Be(expected);
        (await TokensAsync("/v1/messages", message)).Should().Be(expected);
        var chat = new JsonObject { ["role"] = "user", ["content"] = Question, ["images"] = new JsonArray(s_first) };
        (await TokensAsync("/api/chat", new JsonObject { ["messages"] = new JsonArray(chat), ["think"] = false, ["options"] = new JsonObject { ["num_predict"] = 2 } })).Should().Be(expected);
        (await TokensAsync("/api/generate", new JsonObject
        {
            ["prompt"] = Question,
            ["images"] = new JsonArray(s_first),
            ["think"] = false,
            ["options"] = new JsonObject { ["num_predict"] = 2 },
        })).Should().Be(expected);
    }

    [Test]
    public async Task Every_api_says_that_the_model_reads_images()
    {
        JsonNode listed = (await GetAsync(_server, "/v1/models"))["data"]!.AsArray().Single()!;
        ((bool)listed["modalities"]!["vision"]!).Should().BeTrue();
        ((bool)(await GetAsync(_server, $"/v1/models/{_model}"))["modalities"]!["vision"]!).Should().BeTrue();
        ((bool)(await GetAsync(_server, "/props"))["modalities"]!["vision"]!).Should().BeTrue();
        (await _server.AskAsync("/api/show", new JsonObject { ["model"] = _model }))["capabilities"]!.AsArray().Select(it => (string?)it).Should().Contain("vision");
        await using TestServer blind = await TestServer.StartAsync(models: TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 }).Path);
        ((bool)(await GetAsync(blind, "/v1/models"))["data"]!.AsArray().Single()!["modalities"]!["vision"]!).Should().BeFalse();
    }

    private static async Task<JsonNode> GetAsync(TestServer server, string path) => JsonNode.Parse(await server.Http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    [Test]
    public async Task Same_image_is_cached_and_another_one_is_not()
    {
        await _server.AskAsync("/v1/chat/completions", Named(OpenAI([Text("Cached?"), Link(s_first)])));
        (int all, int cached) = await UsageAsync(OpenAI([Text("Cached?"), Link(s_first)]));
        cached.Should().Be(all - 1);
        (all, cached) = await UsageAsync(OpenAI([Text("Cached?"), Link(s_second)]));
        (all - cached).Should().BeGreaterThan(TinyProjectors.Gemma3Tokens);

        async Task<(int All, int Cached)> UsageAsync(JsonObject request)
        {
            JsonNode usage = (await _server.AskAsync("/v1/chat/completions", Named(request)))["usage"]!;
            return ((int)usage["prompt_tokens"]!, (int)usage["prompt_tokens_details"]!["cached_tokens"]!);
        }
    }

    [Test]
    public async Task Image_in_a_stored_response_is_seen_again()
    {
        JsonNode first = await _server.AskAsync("/v1/responses", Named(new JsonObject
        {
            ["input"] = Messages(new JsonArray(new JsonObject { ["type"] = "input_image", ["image_url"] = "data:image/png;base64," + s_first })),
            ["max_output_tokens"] = 2,
        }));
        JsonNode second = await _server.AskAsync("/v1/responses", Named(new JsonObject
        {
            ["input"] = "And now?",
            ["previous_response_id"] = (string)first["id"]!,
            ["max_output_tokens"] = 2,
        }));
        ((int)second["usage"]!["input_tokens_details"]!["cached_tokens"]!).Should().BeGreaterThan(TinyProjectors.Gemma3Tokens);
    }

    [TestCase("https://169.254.169.254/latest/meta-data", "data: URI")]
    [TestCase("file:///etc/passwd", "does not open files")]
    [TestCase("data:image/png;base64,@@", "Base64")]
    [TestCase("data:image/png;base64,AAAA", "PNG, JPEG, GIF or BMP")]
    [TestCase("data:image/png;base64,", "empty")]
    public async Task Image_that_cannot_be_read_is_refused_with_the_remedy(string link, string reason)
    {
        var image = new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = link } };
        using HttpResponseMessage response = await _server.PostAsync("/v1/chat/completions", Named(OpenAI([Text("Hi"), image])));
        ((int)response.StatusCode).Should().Be(400);
        JsonNode error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        ((string)error["code"]!).Should().Be("invalid_image");
        ((string)error["message"]!).Should().Contain(reason);
    }

    [Test]
    public async Task Clients_are_told_that_the_model_takes_images()
    {
        JsonNode shown = await _server.AskAsync("/api/show", new JsonObject { ["model"] = _model });
        shown["capabilities"]!.AsArray().Select(capability => (string)capability!).Should().Contain("vision");
        JsonNode props = JsonNode.Parse(await _server.Http.GetStringAsync(new Uri($"/props?model={_model}", UriKind.Relative)))!;
        ((bool)props["modalities"]!["vision"]!).Should().BeTrue();
    }

    private static JsonObject OpenAI(JsonNode[] parts) => new() { ["messages"] = Messages(new JsonArray(parts)), ["max_tokens"] = 2 };

    private static JsonArray Messages(JsonNode content) => new(new JsonObject { ["role"] = "user", ["content"] = content });

    private static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    private static JsonObject Link(string image) => new() { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = "data:image/png;base64," + image } };

    private JsonObject Named(JsonObject request)
    {
        request["model"] = _model;
        request["stream"] = false;
        return request;
    }

    private async Task<int> TokensAsync(string path, JsonObject request)
    {
        JsonNode answer = await _server.AskAsync(path, Named(request));
        JsonNode? usage = answer["usage"];
        return (int?)answer["prompt_eval_count"] ?? (int?)usage!["prompt_tokens"]
            ?? (int)usage["input_tokens"]! + (int)(usage["cache_read_input_tokens"] ?? 0);
    }
}

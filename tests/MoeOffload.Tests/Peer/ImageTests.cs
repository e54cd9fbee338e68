using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Tests.Images;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Answers about images, against llama.cpp's server with the same model and projector.</summary>
[TestFixture]
public sealed class ImageTests
{
    [Test]
    public async Task Answer_about_images_is_the_peers([Values] bool isWide)
    {
        MoeModel model = VisionModels.Get(isWide);
        using LlamaServer server = LlamaServer.Start(model.Path, "-c", "1024", "--mmproj", model.Projector!.Path);
        using GenerationSession session = model.CreateSession(SmallModel.Context(length: 1024));
        (int Width, int Height)[] sizes = [(48, 48), (96, 40)];
        foreach ((int width, int height) in sizes)
        {
            byte[] first = TinyImages.Png(1, width, height);
            byte[] second = TinyImages.Png(2, height, width);
            JsonNode expected = server.Complete(Request(first, second));

            ChatMessage question = ChatMessage.User("Compare", PromptImage.FromBytes(first), "and", PromptImage.FromBytes(second), "line one", "line two");
            using ChatStream stream = session.ChatAsync([question], new ChatOptions { MaxTokens = 32, Sampling = SamplingOptions.Greedy });
            ChatUpdate answer = await stream.CompleteAsync();

            answer.Message!.Content.Should().Be((string?)expected["choices"]![0]!["message"]!["content"]);
            (await VisionModels.Probability(session, question)).Should().BeApproximately((float)expected["choices"]![0]!["logprobs"]!["content"]![0]!["logprob"]!, 0.002f);
            stream.Statistics!.PromptTokens.Should().Be((int)expected["usage"]!["prompt_tokens"]!);
        }
    }

    private static JsonObject Request(byte[] first, byte[] second) => new()
    {
        ["temperature"] = 0,
        ["max_tokens"] = 32,
        ["logprobs"] = true,
        ["messages"] = new JsonArray(new JsonObject
        {
            ["role"] = "user",
            ["content"] = new JsonArray(Text("Compare"), Image(first), Text("and"), Image(second), Text("line one"), Text("line two")),
        }),
    };

    private static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    private static JsonObject Image(byte[] png) => new()
    {
        ["type"] = "image_url",
        ["image_url"] = new JsonObject { ["url"] = "data:image/png;base64," + Convert.ToBase64String(png) },
    };
}

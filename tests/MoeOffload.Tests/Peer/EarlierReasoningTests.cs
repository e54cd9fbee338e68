using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Tests.Chat;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Compares with llama.cpp's server what templates show of earlier reasoning, and whether they ask for reasoning.</summary>
[TestFixture]
public sealed class EarlierReasoningTests
{
    [TestCase("GLM-4.7-Flash")]
    [TestCase("LFM2.5-8B-A1B")]
    [TestCase("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")]
    [TestCase("deepseek-ai-DeepSeek-V4")]
    [TestCase("Apertus-8B-Instruct")]
    public void Chat_with_reasoning_becomes_the_peers_prompt(string template)
    {
        string path = RealTemplates.Write(RealTemplates.Read(template));
        using MoeModel model = MoeModel.Load(path);
        using LlamaServer server = LlamaServer.Start(path);
        foreach (string chat in (string[])["question", "reasoning"])
        {
            model.ChatTemplate.Render(Chats.All[chat]).Prompt.Should().Be(server.ApplyTemplate(Chats.Request(Chats.All[chat])), chat);
        }

        ChatOptions tools = new() { Tools = [Chats.Weather] };
        model.ChatTemplate.Render(Chats.All["reasoning"], tools).Prompt.Should().Be(server.ApplyTemplate(Chats.Request(Chats.All["reasoning"], Chats.Weather)), "with tools");
    }
}

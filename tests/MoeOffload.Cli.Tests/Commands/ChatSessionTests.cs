using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Cli.Commands;
using MoeOffload.Cli.Terminals;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Checks the chat of <c>moe run</c> where it outgrows the context.</summary>
[TestFixture, NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ChatSessionTests : IDisposable
{
    private static readonly ChatOptions s_options = new() { Sampling = SamplingOptions.Greedy, MaxTokens = 20 };

    private readonly StringWriter _errors = new();
    private readonly TextWriter _console = Console.Error;

    public ChatSessionTests() => Console.SetError(_errors);

    public void Dispose()
    {
        Console.SetError(_console);
        _errors.Dispose();
    }

    [Test]
    public async Task Chat_that_outgrows_the_context_goes_on_and_says_what_is_left_out()
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1 } });
        var chat = new ChatSession(session, s_options, "Be brief.");
        for (int i = 0; i < 12; i++)
        {
            await chat.AnswerAsync(new Terminal(), chat.Ask("What do bees make, and what do cows make?"), CancellationToken.None);
        }

        chat.Messages.Should().HaveCount(24);
        chat.OmittedCount.Should().BePositive().And.BeLessThan(24);
        string[] notes = _errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        notes.Should().NotBeEmpty().And.OnlyHaveUniqueItems("a number is said once").And.OnlyContain(note => note.Contains("oldest messages of the chat are left out") && note.Contains("256 tokens"));
        chat.TakeBack()!.Content.Should().StartWith("What do bees make");
        chat.Clear();
        chat.OmittedCount.Should().Be(0);
    }

    [Test]
    public void Images_belong_to_the_next_question_only()
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 64, Threads = { Decode = 1 } });
        var chat = new ChatSession(session, s_options, null);
        var image = PromptImage.FromBytes(TinyImages.Png(1));
        chat.Images.Add(image);
        chat.Ask("What is it?").Parts.Select(part => (part.Text, part.Image)).Should().Equal((null, image), ("What is it?", null));
        chat.Ask("And now?").Parts.Should().BeEmpty();
    }

    [Test]
    public async Task Chat_that_must_not_be_shortened_fails_and_keeps_its_messages()
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1 } });
        var chat = new ChatSession(session, s_options with { Overflow = ChatOverflow.Error }, null);
        await FluentActions.Awaiting(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                await chat.AnswerAsync(new Terminal(), chat.Ask("What do bees make, and what do cows make?"), CancellationToken.None);
            }
        }).Should().ThrowAsync<ContextFullException>();

        int before = chat.Messages.Count;
        before.Should().BePositive();
        (before % 2).Should().Be(0);
    }
}

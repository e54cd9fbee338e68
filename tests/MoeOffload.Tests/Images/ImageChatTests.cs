using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Images;

/// <summary>Chats with images. Their answers are compared with the peer's in <c>Peer.ImageTests</c>.</summary>
[TestFixture]
public sealed class ImageChatTests
{
    [Test]
    public async Task Same_image_is_cached_and_another_one_is_not([Values] bool isWide)
    {
        MoeModel model = VisionModels.Get(isWide);
        using GenerationSession session = model.CreateSession(SmallModel.Context(1024));
        ChatMessage[] question = VisionModels.Ask(TinyImages.Png(1));

        (string Text, GenerationStatistics Statistics) first = await VisionModels.Answer(session, question);
        (string Text, GenerationStatistics Statistics) same = await VisionModels.Answer(session, VisionModels.Ask(TinyImages.Png(1)));
        (string Text, GenerationStatistics Statistics) other = await VisionModels.Answer(session, VisionModels.Ask(TinyImages.Png(2)));
        (string Text, GenerationStatistics Statistics) last = await VisionModels.Answer(session, question);

        first.Text.Should().NotBeEmpty();
        first.Statistics.CachedPromptTokens.Should().Be(0);
        same.Text.Should().Be(first.Text);
        same.Statistics.CachedPromptTokens.Should().Be(same.Statistics.PromptTokens - 1);
        other.Statistics.CachedPromptTokens.Should().BeLessThan(other.Statistics.PromptTokens / 2, "only the text before the image is the same");
        last.Text.Should().Be(first.Text);
        (await VisionModels.Probability(session, VisionModels.Ask(TinyImages.Png(2)))).Should().NotBe(await VisionModels.Probability(session, question));
        first.Statistics.PromptTokens.Should().BeGreaterThan(
            model.Vocabulary.Tokenize(model.ChatTemplate.Render([ChatMessage.User("Look at it.")]).Prompt).Length + 8, "an image counts as its embeddings");
    }

    [Test]
    public async Task Counted_tokens_are_those_of_the_prompt([Values] bool isWide)
    {
        MoeModel model = VisionModels.Get(isWide);
        using GenerationSession session = model.CreateSession(SmallModel.Context(1024));
        foreach (ChatMessage[] question in new ChatMessage[][] { VisionModels.Ask(TinyImages.Png(1, 96, 64)), [ChatMessage.User("Who wrote this play?")] })
        {
            int count = await model.CountTokensAsync(model.ChatTemplate.Render(question));
            count.Should().Be((await VisionModels.Answer(session, question)).Statistics.PromptTokens);
        }
    }

    [Test]
    public async Task Order_of_images_is_that_of_the_parts()
    {
        using GenerationSession session = VisionModels.Square.CreateSession(SmallModel.Context(1024));
        var one = PromptImage.FromBytes(TinyImages.Png(1));
        var two = PromptImage.FromBytes(TinyImages.Png(2));
        ChatMessage[] orders = [ChatMessage.User(one, two), ChatMessage.User(two, one), ChatMessage.User(one, one), ChatMessage.User(two)];
        var probabilities = new List<float>();
        foreach (ChatMessage order in orders)
        {
            probabilities.Add(await VisionModels.Probability(session, order));
        }

        probabilities.Should().OnlyHaveUniqueItems();
    }

    [Test]
    public async Task Sequences_side_by_side_say_what_each_says_alone([Values] bool isWide)
    {
        MoeModel model = VisionModels.Get(isWide);
        ChatMessage[][] questions =
        [
            VisionModels.Ask(TinyImages.Png(1)),
            [ChatMessage.User("Who wrote this play, and when was it first performed?")],
            VisionModels.Ask(TinyImages.Png(2, 96, 64), "And now?"),
            VisionModels.Ask(TinyImages.Png(1)),
        ];
        var alone = new List<string>();
        using (GenerationSession session = model.CreateSession(SmallModel.Context(1024)))
        {
            foreach (ChatMessage[] question in questions)
            {
                alone.Add((await VisionModels.Answer(session, question)).Text);
            }
        }

        using GenerationSession shared = model.CreateSession(SmallModel.Context(4096, sequences: 4));
        (string Text, GenerationStatistics)[] together = await Task.WhenAll(questions.Select(question => VisionModels.Answer(shared, question)));
        together.Select(answer => answer.Text).Should().Equal(alone);
    }

    [Test]
    public async Task Conversation_goes_on_after_an_image()
    {
        using GenerationSession session = VisionModels.Wide.CreateSession(SmallModel.Context(1024));
        List<ChatMessage> chat = [.. VisionModels.Ask(TinyImages.Png(3))];
        (string Text, GenerationStatistics Statistics) first = await VisionModels.Answer(session, chat);
        chat.AddRange([ChatMessage.Assistant(first.Text), ChatMessage.User("Are you sure?")]);
        (_, GenerationStatistics statistics) = await VisionModels.Answer(session, chat);
        statistics.CachedPromptTokens.Should().BeGreaterThan(first.Statistics.PromptTokens - 5, "the image is still there");
    }

    [Test]
    public async Task Cancellation_while_an_image_is_encoded_ends_the_request_at_once_and_harms_no_other()
    {
        using GenerationSession session = VisionModels.Wide.CreateSession(SmallModel.Context(8192, sequences: 2));
        ChatMessage[] question = VisionModels.Ask(TinyImages.Png(1));
        string expected = (await VisionModels.Answer(session, question)).Text;
        for (int i = 0; i < 2; i++)
        {
            // Many embeddings, so that encoding takes some time.
            using var cancellation = new CancellationTokenSource();
            using ChatStream cancelled = session.ChatAsync(
                VisionModels.Ask(TinyImages.Png(10 + i, 480, 320)), new ChatOptions { MaxTokens = 4 }, cancellation.Token);
            Task<ChatUpdate> answer = cancelled.CompleteAsync();
            while (cancelled.PromptTokenCount == 0)
            {
                await Task.Delay(1);
            }

            await cancellation.CancelAsync();
            await FluentActions.Awaiting(() => answer).Should().ThrowAsync<OperationCanceledException>();
            (await VisionModels.Answer(session, question)).Text.Should().Be(expected);
        }
    }

    [Test]
    public async Task Raw_prompt_has_images_where_their_marks_are()
    {
        using GenerationSession session = VisionModels.Square.CreateSession(SmallModel.Context(512));
        var request = new GenerationRequest
        {
            Prompt = "Here is <a>, and <b>",
            Images = new Dictionary<string, PromptImage>
            {
                ["<a>"] = PromptImage.FromBytes(TinyImages.Png(1)),
                ["<b>"] = PromptImage.FromBytes(TinyImages.Png(2)),
            },
            MaxTokens = 4,
            Sampling = SamplingOptions.Greedy,
        };
        using TokenStream stream = session.GenerateAsync(request);
        (await SmallModel.Read(stream)).Should().NotBeEmpty();
        stream.Statistics!.PromptTokens.Should().BeGreaterThan(2 * TinyProjectors.Gemma3Tokens);

        await FluentActions.Awaiting(() => SmallModel.Read(session.GenerateAsync(request with { Prompt = "Here is <a>" })))
            .Should().ThrowAsync<ArgumentException>().WithMessage("*'<b>'*");
    }

    [Test]
    public async Task Image_that_does_not_fit_is_refused_with_the_remedy()
    {
        using GenerationSession small = VisionModels.Wide.CreateSession(SmallModel.Context(256));
        await FluentActions.Awaiting(() => VisionModels.Answer(small, VisionModels.Ask(TinyImages.Png(1, 640, 480))))
            .Should().ThrowAsync<ContextFullException>().WithMessage("*ContextLength*");

        using GenerationSession narrow = VisionModels.Square.CreateSession(SmallModel.Context(256) with { MicroBatchSize = 8, BatchSize = 8 });
        await FluentActions.Awaiting(() => VisionModels.Answer(narrow, VisionModels.Ask(TinyImages.Png(1))))
            .Should().ThrowAsync<NotSupportedException>().WithMessage("*MicroBatchSize*");
        (await VisionModels.Answer(narrow, ChatMessage.User("Still there?"))).Text.Should().NotBeEmpty();
    }

    [Test]
    public async Task Images_are_computed_in_small_batches_where_the_model_allows_it()
    {
        ChatMessage[] question = VisionModels.Ask(TinyImages.Png(1, 160, 96));
        using GenerationSession large = VisionModels.Wide.CreateSession(SmallModel.Context(512));
        using GenerationSession small = VisionModels.Wide.CreateSession(SmallModel.Context(512) with { MicroBatchSize = 16, BatchSize = 16 });
        (await VisionModels.Answer(small, question)).Text.Should().Be((await VisionModels.Answer(large, question)).Text);
    }

    [Test]
    public async Task Model_without_a_projector_names_the_remedy_and_reads_a_placeholder_in_earlier_turns()
    {
        MoeModel model = SmallModel.Shared;
        model.Info.SupportsVision.Should().BeFalse();
        using GenerationSession session = model.CreateSession(SmallModel.Context(512));
        ChatMessage[] question = VisionModels.Ask(TinyImages.Png(1));
        await FluentActions.Awaiting(() => VisionModels.Answer(session, question)).Should().ThrowAsync<NotSupportedException>().WithMessage("*mmproj*");

        ChatMessage[] later = [.. question, ChatMessage.Assistant("A bird."), ChatMessage.User("Which?")];
        (await VisionModels.Answer(session, later)).Text.Should().NotBeEmpty();
        model.ChatTemplate.Render(later).Prompt.Should().Contain("Look at it.\n[image omitted: this model reads only text]\nWhat is in this picture?");
        model.ChatTemplate.Render([ChatMessage.User("Draw it."), new ChatMessage { Role = ChatRole.Tool, Parts = [question[0].Parts[1]], ToolCallId = "1", ToolName = "draw" }])
            .Prompt.Should().Contain("[image omitted");
    }

    [Test]
    public void Content_and_parts_replace_each_other()
    {
        ChatMessage message = VisionModels.Ask(TinyImages.Png(1))[0];
        message.Content.Should().Be("Look at it.\nWhat is in this picture?");
        (message with { Content = "text" }).Parts.Should().BeEmpty();
        ChatMessage.User("text").Parts.Should().BeEmpty();
    }

    [Test]
    public async Task Session_that_drafts_from_the_text_answers_the_same()
    {
        ChatMessage[] question = VisionModels.Ask(TinyImages.Png(1));
        using GenerationSession plain = VisionModels.Wide.CreateSession(SmallModel.Context(512));
        using GenerationSession drafting = VisionModels.Wide.CreateSession(SmallModel.Context(512) with { Speculation = new SpeculationOptions() });
        (await VisionModels.Answer(drafting, question)).Text.Should().Be((await VisionModels.Answer(plain, question)).Text);
    }
}

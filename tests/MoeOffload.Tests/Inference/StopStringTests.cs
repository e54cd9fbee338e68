using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Stop strings that are taken from what the model generates end it where they begin, wherever tokens part them.</summary>
[TestFixture]
public sealed class StopStringTests
{
    private const string Prompt = "It was the best of times";
    private const int Count = 48;

    private GenerationSession _session = null!;
    private List<GeneratedToken> _tokens = null!;
    private string _text = null!;

    [OneTimeSetUp]
    public async Task Generate()
    {
        _session = SmallModel.Shared.CreateSession(SmallModel.Context(2048));
        _tokens = await SmallModel.Read(_session.GenerateAsync(Prompt, SamplingOptions.Greedy, Count));
        _text = SmallModel.Text(_tokens);
    }

    [OneTimeTearDown]
    public void DisposeSession() => _session.Dispose();

    [Test]
    public async Task Generation_with_any_part_of_its_text_as_stop_string_ends_before_that()
    {
        var random = new Random(4);
        for (int run = 0; run < 40; run++)
        {
            int start = random.Next(_text.Length - 1);
            string stop = _text.Substring(start, random.Next(1, Math.Min(40, _text.Length - start)));
            if (stop.Contains('\uFFFD', StringComparison.Ordinal) || char.IsLowSurrogate(stop[0]) || char.IsHighSurrogate(stop[^1]))
            {
                continue;
            }

            TokenStream stream = Stream(stop);
            List<GeneratedToken> tokens = await SmallModel.Read(stream);
            stream.StopString.Should().Be(stop);
            SmallModel.Text(tokens).Should().Be(_text[.._text.IndexOf(stop, StringComparison.Ordinal)]);
            tokens[^1].StopReason.Should().Be(StopReason.StopString);
            tokens.SkipLast(1).Should().NotContain(token => token.StopReason != null);
            tokens.Select(token => token.Id).Should().Equal(_tokens.Take(tokens.Count).Select(token => token.Id));
        }
    }

    [Test]
    public async Task Generation_whose_first_token_is_a_stop_string_yields_it_without_text()
    {
        List<GeneratedToken> tokens = await Read(_tokens[0].Text);
        tokens.Should().ContainSingle();
        tokens[0].Utf8.IsEmpty.Should().BeTrue();
        tokens[0].StopReason.Should().Be(StopReason.StopString);
    }

    [Test]
    public async Task Generation_with_several_stop_strings_ends_at_the_one_that_is_complete_first()
    {
        string late = _text[^3..];
        string early = _tokens[2].Text + _tokens[3].Text;
        TokenStream stream = Stream(late, early, "never to be found");
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        stream.StopString.Should().Be(early);
        SmallModel.Text(tokens).Should().Be(_text[.._text.IndexOf(early, StringComparison.Ordinal)]);
    }

    [Test]
    public async Task Generation_that_ends_within_a_stop_string_keeps_what_was_held_back()
    {
        TokenStream stream = Stream(_text[^5..] + "and more that never comes");
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        stream.StopString.Should().BeNull();
        SmallModel.Text(tokens).Should().Be(_text);
        tokens[^1].StopReason.Should().Be(StopReason.MaxTokens);
    }

    [Test]
    public async Task Generation_that_holds_back_more_than_a_reader_has_room_for_comes_out_whole()
    {
        const int Many = 600;
        string text = SmallModel.Text(await SmallModel.Read(_session.GenerateAsync(Prompt, SamplingOptions.Greedy, Many)));
        TokenStream stream = _session.GenerateAsync(new GenerationRequest
        {
            Prompt = Prompt,
            Sampling = SamplingOptions.Greedy,
            MaxTokens = Many,
            StopStrings = [text + "and more that never comes"],
        });
        List<GeneratedToken> tokens = await SmallModel.Read(stream).WaitAsync(TimeSpan.FromSeconds(30));
        tokens.Should().HaveCount(Many);
        SmallModel.Text(tokens).Should().Be(text);
        tokens[^1].StopReason.Should().Be(StopReason.MaxTokens);
    }

    private Task<List<GeneratedToken>> Read(params string[] stops) => SmallModel.Read(Stream(stops));

    private TokenStream Stream(params string[] stops) => _session.GenerateAsync(
        new GenerationRequest { Prompt = Prompt, Sampling = SamplingOptions.Greedy, MaxTokens = Count, StopStrings = stops });
}

using TinyMoe.World;

namespace TinyMoe.Corpus;

/// <summary>Generates the documents of a corpus, which depend only on the seed.</summary>
internal sealed class Library
{
    private static readonly string[] s_systems =
    [
        "You are a tiny model that tells stories.",
        "You are a helpful assistant.",
        "Answer in simple words.",
        "You tell stories to children.",
    ];

    private readonly SplitMix _random;
    private readonly Func<SplitMix, Exchange> _askSum;
    private readonly (int Share, Func<SplitMix, Document> Write)[] _kinds;

    /// <param name="seed">The seed of all random choices.</param>
    /// <param name="worksSums">Whether sums include the steps to their answers.</param>
    public Library(ulong seed, bool worksSums = false)
    {
        _random = new SplitMix(seed);
        _askSum = worksSums ? Arithmetic.Work : Arithmetic.Ask;

        // The percentages of the documents. A story is about five times as long as a sum.
        _kinds =
        [
            (4, TellPlain),
            (20, AskPlain),
            (12, TellOnRequest),
            (24, AskAboutGiven),
            (12, random => Document.Plain(TextKind.Sum, string.Empty, Several(random, 4, 10, _askSum))),
            (16, random => Document.Chat(TextKind.Sum, System(random), Several(random, 3, 8, _askSum))),
            (3, random => Document.Plain(TextKind.Fact, string.Empty, Several(random, 2, 5, FactBook.Ask))),
            (5, random => Document.Chat(TextKind.Fact, System(random), Several(random, 1, 4, FactBook.Ask))),
            (4, TalkOfAll),
        ];
    }

    public Document Write()
    {
        int share = _random.Below(_kinds.Sum(kind => kind.Share));
        foreach (var (own, write) in _kinds)
        {
            if (share < own)
            {
                return write(_random);
            }

            share -= own;
        }

        throw new InvalidOperationException("The shares do not add up.");
    }

    /// <summary>Chooses some of the questions about a story, each at most once.</summary>
    public static IEnumerable<Exchange> Questions(SplitMix random, Story story, int most)
    {
        Exchange[] questions = [.. story.Questions];
        for (int i = 0; i < Math.Min(most, questions.Length); i++)
        {
            int other = i + random.Below(questions.Length - i);
            (questions[i], questions[other]) = (questions[other], questions[i]);
            yield return questions[i];
        }
    }

    /// <summary>Creates the message of a user who sends a story and asks about it.</summary>
    public static Exchange About(Story story, Exchange question) => new($"{story.Text}\n\n{question.Question}", question.Answer);

    private static string? System(SplitMix random) => random.Chance(0.3) ? random.Choose(s_systems) : null;

    private static Story Tell(SplitMix random) => new StoryTeller(random).Tell(isHeldOut: false);

    private static List<T> Several<T>(SplitMix random, int least, int most, Func<SplitMix, T> ask) =>
        [.. Enumerable.Range(0, least + random.Below(most - least + 1)).Select(_ => ask(random))];

    private static Document TellPlain(SplitMix random) => Document.Plain(TextKind.Story, Tell(random).Text, []);

    private static Document AskPlain(SplitMix random)
    {
        Story story = Tell(random);
        return Document.Plain(TextKind.StoryQuestion, story.Text, Questions(random, story, 5 + random.Below(6)));
    }

    private static Document TellOnRequest(SplitMix random)
    {
        Story story = Tell(random);
        return Document.Chat(TextKind.Story, System(random), [StoryRequest.For(random, story), .. Questions(random, story, random.Below(5))]);
    }

    private static Document AskAboutGiven(SplitMix random)
    {
        Story story = Tell(random);
        Exchange[] questions = [.. Questions(random, story, 5 + random.Below(6))];
        return Document.Chat(TextKind.StoryQuestion, System(random), [About(story, questions[0]), .. questions.Skip(1)]);
    }

    private Document TalkOfAll(SplitMix random) => Document.Chat(TextKind.Talk, System(random), [.. Several(random, 2, 7, Say).SelectMany(said => said)]);

    private IEnumerable<Exchange> Say(SplitMix random)
    {
        switch (random.Below(10))
        {
            case 0: return [_askSum(random)];
            case 1: return [FactBook.Ask(random)];
            case 2:
                Story story = Tell(random);
                return [StoryRequest.For(random, story), .. Questions(random, story, random.Below(3))];
            case < 6: return [SmallTalk.AskStrangely(random)];
            default: return [SmallTalk.Chat(random)];
        }
    }
}

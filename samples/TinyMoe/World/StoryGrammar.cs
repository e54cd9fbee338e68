using System.Text.RegularExpressions;

namespace TinyMoe.World;

/// <summary>Provides the parts of stories: <c>stories.txt</c>.</summary>
internal sealed partial class StoryGrammar
{
    private readonly ILookup<string?, Template> _byFirstWord;

    private StoryGrammar(IReadOnlyList<Plot> plots)
    {
        Plots = plots;
        _byFirstWord = plots.SelectMany(plot => plot.Beats).Distinct().SelectMany(beat => beat.Lines).ToLookup(line => line.FirstWord);
    }

    public static StoryGrammar Instance { get; } = Read();

    public IReadOnlyList<Plot> Plots { get; }

    /// <summary>Splits a text into sentences. A quoted question does not end a sentence if a lowercase letter follows.</summary>
    public static string[] Sentences(string text) =>
        [.. SentenceEnd().Split(text.Trim()).Where(sentence => sentence.Length > 0)];

    /// <summary>Determines whether a sentence can be part of a story.</summary>
    public bool Parses(string sentence)
    {
        string[] words = Template.Words(sentence);
        return words.Length > 0
            && (_byFirstWord[words[0]].Any(line => line.Matches(words)) || _byFirstWord[null].Any(line => line.Matches(words)));
    }

    private static StoryGrammar Read()
    {
        IReadOnlyList<string> lines = Resources.Lines("stories");
        string[] morals = [.. lines.Where(line => line.StartsWith("moral ", StringComparison.Ordinal)).Select(line => line["moral ".Length..])];
        var sections = new List<Section>();
        foreach (string line in lines.Where(line => line.Length > 0))
        {
            switch (line)
            {
                case "beat" or "?beat":
                    sections[^1].Beats.Add((line[0] == '?', []));
                    sections[^1].IsAsking = false;
                    break;
                case "ask" or "common ask":
                    sections[^1].IsAsking = true;
                    break;
                case var _ when line.StartsWith("plot ", StringComparison.Ordinal) || line.StartsWith("part ", StringComparison.Ordinal):
                    sections.Add(new Section(line));
                    break;
                case var _ when line.StartsWith("moral ", StringComparison.Ordinal):
                    sections[^1].Morals.Add(line["moral ".Length..]);
                    break;
                case var _ when line.StartsWith("thing ", StringComparison.Ordinal):
                    sections[^1].Things = line["thing ".Length..];
                    break;
                case var _ when sections[^1].IsAsking:
                    string[] parts = Resources.Parts(line, '|');
                    sections[^1].Questions.Add((new Template(parts[0], morals), new Template(parts[1], morals)));
                    break;
                default:
                    sections[^1].Beats[^1].Lines.Add(new Template(line, morals));
                    break;
            }
        }

        Section intro = sections.Single(section => section.Title == "part intro");
        Section close = sections.Single(section => section.Title == "part close");
        return new StoryGrammar([.. sections
            .Where(section => section.Title.StartsWith("plot ", StringComparison.Ordinal))
            .Select(section => new Plot(
                section.Things,
                section.Morals,
                [.. intro.ToBeats(), .. section.ToBeats(), .. close.ToBeats()],
                [.. close.Questions, .. section.Questions]))]);
    }

    [GeneratedRegex("""(?<=[.!?]"?)\s+(?=["A-Z])""")]
    private static partial Regex SentenceEnd();

    private sealed class Section(string title)
    {
        private List<Beat>? _made;

        public string Title => title;

        public string Things { get; set; } = "thing";

        public List<string> Morals { get; } = [];

        public List<(bool IsOptional, List<Template> Lines)> Beats { get; } = [];

        public List<(Template Question, Template Answer)> Questions { get; } = [];

        public bool IsAsking { get; set; }

        public List<Beat> ToBeats() => _made ??= [.. Beats.Select(beat => new Beat(beat.IsOptional, beat.Lines))];
    }
}

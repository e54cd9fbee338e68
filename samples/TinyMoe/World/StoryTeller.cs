namespace TinyMoe.World;

/// <summary>Generates stories. The names of characters and things are chosen first, so that a story is consistent.</summary>
internal sealed class StoryTeller(SplitMix random)
{
    private readonly Dictionary<string, string> _words = [];
    private readonly HashSet<string> _told = [];
    private Plot _plot = StoryGrammar.Instance.Plots[0];

    /// <summary>Generates a story whose combinations are all in the training data, or all held out.</summary>
    public Story Tell(bool isHeldOut)
    {
        do
        {
            Cast();
        }
        while (HeldOut.IsPair(_words["hero"], _words["friend"]) != isHeldOut || HeldOut.IsPair(_words["hero"], _words["thing"]) != isHeldOut);

        string[] sentences = [.. _plot.Beats.Where(beat => !beat.IsOptional || random.Chance(0.5)).Select(beat => Fill(random.Choose(beat.Lines)))];
        Exchange[] questions = [.. _plot.Questions.Where(CanBeAsked).Select(pair => new Exchange(Fill(pair.Question), Fill(pair.Answer)))];
        return new Story(new Dictionary<string, string>(_words), string.Join(' ', sentences), questions);
    }

    private void Cast()
    {
        _words.Clear();
        _told.Clear();
        _plot = random.Choose(StoryGrammar.Instance.Plots);
        foreach (var (name, kind, trait) in (ReadOnlySpan<(string, string, string)>)[("hero", "kind", "trait"), ("friend", "fkind", "ftrait")])
        {
            _words[name] = Draw("name");
            _words[kind] = random.Chance(0.4) ? IsGirl(name) ? "girl" : "boy" : Draw("animal");
            _words[trait] = Draw("trait");
        }

        _words["moral"] = random.Choose(_plot.Morals);
        _words["winner"] = _words[random.Chance(0.5) ? "hero" : "friend"];
        _words["thing"] = Draw(_plot.Things);
        _words["look"] = Draw("look");
    }

    private string Fill(Template template)
    {
        foreach (Slot slot in template.Slots.Where(slot => slot.IsFresh))
        {
            _words.Remove(slot.Variable);
        }

        return template.Fill(slot =>
        {
            _told.Add(slot.Variable);
            return slot.IsPronoun
                ? slot.Pronoun(IsGirl(slot.Variable.EndsWith('2') ? "friend" : "hero"))
                : _words.TryGetValue(slot.Variable, out string? word) ? word : _words[slot.Variable] = Draw(slot.Category);
        });
    }

    // Draws a word that no other part of the story uses.
    private string Draw(string category)
    {
        string word;
        do
        {
            word = random.Choose(Lexicon.Instance[category]);
        }
        while (_words.ContainsValue(word));

        return word;
    }

    private bool IsGirl(string person) => Lexicon.Instance.Girls.Contains(_words[person]);

    private bool CanBeAsked((Template Question, Template Answer) pair) =>
        pair.Question.Slots.Concat(pair.Answer.Slots).All(slot => slot.IsArticle || slot.IsPronoun || _told.Contains(slot.Variable));
}

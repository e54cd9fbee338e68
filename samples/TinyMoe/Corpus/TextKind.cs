namespace TinyMoe.Corpus;

/// <summary>The kinds of text in the corpus.</summary>
internal enum TextKind
{
    Story,
    StoryQuestion,
    Sum,
    Fact,
    Talk,
}

namespace TinyMoe.Corpus;

/// <summary>Specifies the kind of a text in the corpus.</summary>
internal enum TextKind
{
    Story,
    StoryQuestion,
    Sum,
    Fact,
    Talk,
}

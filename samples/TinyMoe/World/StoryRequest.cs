namespace TinyMoe.World;

/// <summary>Ways to ask for a story: <c>requests.txt</c>.</summary>
internal static class StoryRequest
{
    private static readonly Template[] s_forms = [.. Resources.Lines("requests").Where(line => line.Length > 0).Select(line => new Template(line, []))];

    /// <summary>Asks for a story, by chance with some of what it is about.</summary>
    public static Exchange For(SplitMix random, Story story) => new(random.Choose(s_forms).Fill(slot => story.Words[slot.Variable]), story.Text) { IsFree = true };
}

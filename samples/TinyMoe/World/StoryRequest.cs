namespace TinyMoe.World;

/// <summary>Provides requests for a story: <c>requests.txt</c>.</summary>
internal static class StoryRequest
{
    private static readonly Template[] s_forms = [.. Resources.Lines("requests").Where(line => line.Length > 0).Select(line => new Template(line, []))];

    /// <summary>Creates a request for a story, which randomly mentions some of its contents.</summary>
    public static Exchange For(SplitMix random, Story story) => new(random.Choose(s_forms).Fill(slot => story.Words[slot.Variable]), story.Text) { IsFree = true };
}

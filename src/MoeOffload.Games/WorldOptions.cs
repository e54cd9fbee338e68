namespace MoeOffload.Games;

/// <summary>Provides options for a world.</summary>
public sealed record WorldOptions
{
    /// <summary>
    /// Gets or sets what all characters know. It is the beginning of each of their prompts, so it is computed once. The default is an empty string.
    /// </summary>
    public string Knowledge
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Knowledge));
    } = string.Empty;

    /// <summary>Gets or sets the texts that are added to the histories of characters. The defaults are English.</summary>
    public CharacterTexts Texts
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Texts));
    } = new();
}

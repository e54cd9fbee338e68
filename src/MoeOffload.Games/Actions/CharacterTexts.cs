namespace MoeOffload.Games;

/// <summary>Provides the texts that the package adds to histories, which the model reads. Set them to those of the language of your game.</summary>
public sealed record CharacterTexts
{
    /// <summary>Gets or sets the result of an action that returns none. The default is <c>Done.</c></summary>
    public string Done
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Done));
    } = "Done.";

    /// <summary>Gets or sets the result of an action that threw an exception. The default is <c>That failed.</c></summary>
    public string Failed
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Failed));
    } = "That failed.";

    /// <summary>
    /// Gets or sets the beginning of the result of an action that does not exist or whose arguments are not valid. What is wrong follows it, in
    /// English. The default is <c>That is not possible.</c>
    /// </summary>
    public string NotPossible
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(NotPossible));
    } = "That is not possible.";

    /// <summary>
    /// Gets or sets what follows the words of an answer that ended early, and is the result of an action that was not carried out because of that.
    /// The default is three dots, <c>...</c>
    /// </summary>
    public string Interrupted
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Interrupted));
    } = "...";
}

namespace MoeOffload.Chat;

/// <summary>Where what a model thinks goes.</summary>
public enum ReasoningFormat
{
    /// <summary>Apart from the answer, to <see cref="ChatMessage.ReasoningContent"/>. The default.</summary>
    Separate,

    /// <summary>Into <see cref="ChatMessage.Content"/>, with the marks that the model puts around it.</summary>
    InContent,
}

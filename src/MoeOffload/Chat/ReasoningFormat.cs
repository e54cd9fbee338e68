namespace MoeOffload.Chat;

/// <summary>Specifies how the reasoning of a model is returned.</summary>
public enum ReasoningFormat
{
    /// <summary>The reasoning is separated from the answer and returned in <see cref="ChatMessage.ReasoningContent"/>. This is the default.</summary>
    Separate,

    /// <summary>The reasoning stays in <see cref="ChatMessage.Content"/>, with the tags that the model puts around it.</summary>
    InContent,
}

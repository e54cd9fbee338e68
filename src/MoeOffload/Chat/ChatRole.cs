namespace MoeOffload.Chat;

/// <summary>Specifies the role of the author of a chat message.</summary>
public enum ChatRole
{
    /// <summary>Instructions for the whole chat.</summary>
    System,

    /// <summary>Instructions of the application. Templates that do not support this role treat it as <see cref="System"/>.</summary>
    Developer,

    /// <summary>The user.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>The result of a tool that the model called.</summary>
    Tool,
}

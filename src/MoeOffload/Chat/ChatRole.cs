namespace MoeOffload.Chat;

/// <summary>Who says a message of a chat.</summary>
public enum ChatRole
{
    /// <summary>Instructions that hold for the whole chat.</summary>
    System,

    /// <summary>Instructions of the application; <see cref="System"/> to templates that do not know it.</summary>
    Developer,

    /// <summary>The user.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>The result of a tool that the model called.</summary>
    Tool,
}

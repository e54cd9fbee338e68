namespace MoeOffload.Games;

/// <summary>Specifies what a character does.</summary>
public enum CharacterState
{
    /// <summary>It has nothing to answer. What it has said may still have to be read.</summary>
    Idle,

    /// <summary>It waits until another character has finished.</summary>
    Waiting,

    /// <summary>Its prompt is computed, or it decides what to do, or reasons.</summary>
    Thinking,

    /// <summary>It speaks.</summary>
    Speaking,

    /// <summary>It waits for <see cref="Character.Update"/> or <see cref="World.Update"/> to carry out an action.</summary>
    Acting,
}

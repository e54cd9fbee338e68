namespace MoeOffload.Games.Actions;

/// <summary>Checks the names of actions and parameters: grammars, templates and servers accept these characters.</summary>
internal static class ActionName
{
    private const int MaxLength = 64;

    /// <summary>Checks a name.</summary>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static void Check(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (name.Length > MaxLength || !name.All(IsAllowed))
        {
            throw new ArgumentException(
                $"'{name}' is not a valid name. Use up to {MaxLength} letters of the Latin alphabet, digits, hyphens and underscores, such as open_door.", parameter);
        }
    }

    private static bool IsAllowed(char letter) => letter is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '-';
}

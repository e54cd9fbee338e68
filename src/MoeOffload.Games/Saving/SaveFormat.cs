namespace MoeOffload.Games.Saving;

/// <summary>Provides the names in the JSON of a save.</summary>
internal static class SaveFormat
{
    public const string Name = "moeoffload-characters";

    public const int Version = 1;

    public const string FormatKey = "format";

    public const string VersionKey = "version";

    public const string CharactersKey = "characters";

    public const string NameKey = "name";

    public const string TurnsKey = "turns";

    public const string InterruptedKey = "interrupted";

    public const string MessagesKey = "messages";

    public const string RoleKey = "role";

    public const string ContentKey = "content";

    public const string ActionsKey = "actions";

    public const string IdKey = "id";

    public const string ArgumentsKey = "arguments";

    public const string Player = "player";

    public const string Character = "character";

    public const string Result = "result";
}

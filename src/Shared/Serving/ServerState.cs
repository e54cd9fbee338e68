namespace MoeOffload.Shared;

/// <summary>Represents what a server answered to a health check.</summary>
/// <param name="Kind">What it can do now.</param>
/// <param name="Description">The state, in a sentence.</param>
internal sealed record ServerState(ServerStateKind Kind, string Description)
{
    public static ServerState Ready(string description) => new(ServerStateKind.Ready, description);

    public static ServerState Loading(string description) => new(ServerStateKind.Loading, description);

    public static ServerState Loaded(string description) => new(ServerStateKind.Loaded, description);

    public static ServerState Failed(string description) => new(ServerStateKind.Failed, description);
}

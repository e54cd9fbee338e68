namespace MoeOffload.Server;

/// <summary>Names the server's measurements.</summary>
public static class ServerMeter
{
    /// <summary>The name of the meter. An application exports the measurements with <c>AddMeter</c>.</summary>
    public const string Name = "MoeOffload.Server";
}

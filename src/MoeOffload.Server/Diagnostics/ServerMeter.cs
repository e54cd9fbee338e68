namespace MoeOffload.Server;

/// <summary>
/// Provides the name of the server's meter, which counts requests. <see cref="MoeOffload.Diagnostics.MoeTelemetry.MeterName"/> measures what the models compute.
/// </summary>
public static class ServerMeter
{
    /// <summary>The name of the meter, which an application passes to <c>AddMeter</c> to export the metrics.</summary>
    public const string Name = "MoeOffload.Server";
}

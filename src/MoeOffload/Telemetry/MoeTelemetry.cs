namespace MoeOffload.Diagnostics;

/// <summary>Provides the names of the library's telemetry, which costs nothing while nobody listens to it.</summary>
public static class MoeTelemetry
{
    /// <summary>The name of the meter, which an application passes to <c>AddMeter</c> to export the metrics.</summary>
    public const string MeterName = "MoeOffload";

    /// <summary>The name of the activity source, which an application passes to <c>AddSource</c> to export the traces.</summary>
    public const string ActivitySourceName = "MoeOffload";
}

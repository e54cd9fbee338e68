namespace MoeOffload.Extensions.AI;

/// <summary>Provides the name of the clients' meter, which costs nothing while nobody listens to it.</summary>
public static class MoeClientTelemetry
{
    /// <summary>
    /// The name of the meter, which an application passes to <c>AddMeter</c> to export the metrics. <c>UseOpenTelemetry</c> of Microsoft.Extensions.AI
    /// reports the same metrics under another meter, so export only one of them.
    /// </summary>
    public const string MeterName = "MoeOffload.Extensions.AI";
}

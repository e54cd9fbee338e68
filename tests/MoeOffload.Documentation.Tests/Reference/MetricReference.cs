using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MoeOffload.Catalog;
using MoeOffload.Diagnostics;
using MoeOffload.Extensions.AI;
using MoeOffload.Server;

namespace MoeOffload.Documentation.Tests.Reference;

/// <summary>Describes the metrics by the instruments that the packages create.</summary>
internal static class MetricReference
{
    private static readonly (string Meter, string Title)[] s_meters =
    [
        (MoeTelemetry.MeterName, "What models compute"),
        (MoeClientTelemetry.MeterName, "Requests of an `IChatClient` or an `IEmbeddingGenerator`"),
        (ServerMeter.Name, "Requests over HTTP"),
    ];

    /// <summary>Describes all metrics.</summary>
    public static string Describe()
    {
        StringBuilder page = ReferencePages.Begin(
            "All metrics",
            "These are the instruments of the packages. [Metrics and traces](../telemetry.md) explains their attributes, and how to export them. The server's endpoint `/metrics` replaces dots by "
            + "underscores and appends the unit, such as `gen_ai_server_request_duration_seconds`; [Serving models](../server.md#operation) lists its names and labels.");
        IReadOnlyList<Instrument> instruments = Collect();
        foreach ((string meter, string title) in s_meters)
        {
            page.Append("## ").Append(meter).Append("\n\n").Append(title).Append(".\n\n").AppendTable(
                ["Metric", "Kind", "Unit", ""],
                instruments.Where(instrument => instrument.Meter.Name == meter).DistinctBy(instrument => instrument.Name).OrderBy(instrument => instrument.Name, StringComparer.Ordinal)
                    .Select(instrument => new[] { ReferencePages.Code(instrument.Name), Kind(instrument), ReferencePages.Code(instrument.Unit), instrument.Description ?? string.Empty }));
            page.Append('\n');
        }

        return page.ToString().TrimEnd('\n') + '\n';
    }

    // The instruments belong to the process. Those of a server belong to its services.
    private static List<Instrument> Collect()
    {
        List<Instrument> found = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                lock (found)
                {
                    found.Add(instrument);
                }
            },
        };
        listener.Start();
        foreach (Type type in new[] { Find<MoeModel>("Telemetry.Instruments"), Find<MoeModel>("Telemetry.LiveState"), Find<MoeChatClientOptions>("Extensions.AI.ClientTelemetry") })
        {
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddMoeOffload(new ModelCatalog(new ModelCatalogOptions()));
        WebApplication application = builder.Build();
        application.Services.GetRequiredService(Find<MoeServerOptions>("Server.Diagnostics.ServerMetrics"));
        lock (found)
        {
            return [.. found];
        }
    }

    private static Type Find<T>(string name) => typeof(T).Assembly.GetType($"{nameof(MoeOffload)}.{name}", throwOnError: true)!;

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "ObservableCounter" => "Counter",
        "ObservableGauge" => "Gauge",
        string kind => kind,
    };
}

using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Receives what OpenTelemetry's exporters send, as texts in which names can be found.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, string> _texts = new();

    private Collector(WebApplication application) => _application = application;

    /// <summary>Gets the variables with which a process sends to the collector, often.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _application.Urls.Single(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
    };

    public static async Task<Collector> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new Collector(builder.Build());
        collector._application.Run(collector.ReceiveAsync);
        await collector._application.StartAsync();
        return collector;
    }

    /// <summary>Gets everything that was sent to a path.</summary>
    public string Text(string path) => _texts.GetValueOrDefault(path, string.Empty);

    /// <summary>Waits until a text was sent to a path.</summary>
    public async Task WaitForAsync(string path, string text)
    {
        for (int i = 0; !Text(path).Contains(text, StringComparison.Ordinal); i++)
        {
            if (i == 600)
            {
                throw new TimeoutException($"'{text}' was never sent to {path}; what was sent is: {Text(path)}");
            }

            await Task.Delay(100);
        }
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        string text = Encoding.Latin1.GetString(body.ToArray());
        _texts.AddOrUpdate(context.Request.Path, text, (_, before) => before + text);
    }
}

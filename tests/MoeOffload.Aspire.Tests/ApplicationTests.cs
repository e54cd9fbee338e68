using System.Diagnostics;
using System.Diagnostics.Metrics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FluentAssertions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Aspire.Tests;

/// <summary>An application that Aspire's orchestrator starts, with the built command and the demo model, and a client of it.</summary>
[TestFixture]
public sealed class ApplicationTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private DistributedApplication _application = null!;
    private string _connection = string.Empty;

    [OneTimeSetUp]
    public async Task Start()
    {
        string[] command = ["exec", Path.Combine(NativeBuild.Repository, "src", "MoeOffload.Cli", "bin", "Release", "net10.0", "moe.dll")];
        using var limit = new CancellationTokenSource(s_limit);
        IDistributedApplicationTestingBuilder builder = ApplicationModel.Create();
        builder.AddMoeOffload("llm")
            .WithServerCommand("dotnet", command)
            .WithModel(DemoModel.Path)
            .WithCpuMoe()
            .WithPlacement(@"blk\.0\..*=CPU")
            .WithContextLength(512)
            .WithModelDirectory(Path.GetDirectoryName(DemoModel.Path)!)
            .WithApiKey();
        builder.AddMoeOffload("broken").WithServerCommand("dotnet", command).WithModel("missing.gguf");
        builder.AddMoeOffload("idle").WithServerCommand("dotnet", command);
        _application = await builder.BuildAsync(limit.Token);
        await _application.StartAsync(limit.Token);
        try
        {
            await _application.ResourceNotifications.WaitForResourceHealthyAsync("llm", limit.Token);
        }
        catch (DistributedApplicationException error)
        {
            throw new InvalidOperationException(await ReadLogAsync("llm"), error);
        }

        _connection = (await _application.GetConnectionStringAsync("llm", limit.Token))!;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _application.DisposeAsync();

    [Test]
    public async Task Server_is_healthy_when_its_model_is_loaded()
    {
        using HttpClient http = _application.CreateHttpClient("llm", "http");

        (await http.GetStringAsync(new Uri("/health", UriKind.Relative))).Should().Contain("\"models_loaded\":1");
    }

    [Test]
    public async Task Client_chats_whole_and_streamed()
    {
        using IHost host = Client(_connection);
        IChatClient client = host.Services.GetRequiredService<IChatClient>();
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 16 };

        ChatResponse whole = await client.GetResponseAsync("What do bees make?", options);
        ChatResponse streamed = await client.GetStreamingResponseAsync("What do bees make?", options).ToChatResponseAsync();

        whole.Text.Should().NotBeEmpty();
        whole.Usage!.OutputTokenCount.Should().BePositive();
        streamed.Text.Should().Be(whole.Text);
    }

    [Test]
    public async Task Request_is_traced_and_measured()
    {
        var activities = new List<Activity>();
        var instruments = new HashSet<string>();
        using var traces = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Experimental.Microsoft.Extensions.AI",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(traces);
        using var metrics = new MeterListener();
        metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Experimental.Microsoft.Extensions.AI")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        metrics.SetMeasurementEventCallback<double>((instrument, _, _, _) => instruments.Add(instrument.Name));
        metrics.SetMeasurementEventCallback<int>((instrument, _, _, _) => instruments.Add(instrument.Name));
        metrics.SetMeasurementEventCallback<long>((instrument, _, _, _) => instruments.Add(instrument.Name));
        metrics.Start();
        using IHost host = Client(_connection);

        await host.Services.GetRequiredService<IChatClient>().GetResponseAsync("What do bees make?", new ChatOptions { MaxOutputTokens = 4 });

        activities.Should().ContainSingle().Which.GetTagItem("gen_ai.request.model").Should().Be("llm");
        instruments.Should().Contain(["gen_ai.client.operation.duration", "gen_ai.client.token.usage"]);
    }

    [Test]
    public async Task Client_is_healthy()
    {
        HealthReportEntry entry = await CheckAsync(_connection);

        entry.Status.Should().Be(HealthStatus.Healthy);
        entry.Description.Should().Be("The model 'llm' is loaded.");
    }

    [TestCase("Model=llm", "Model=other", "*'other'*does not exist*")]
    [TestCase("Key=", "Key=x", "*key*")]
    [TestCase("http://localhost", "http://localhost:1/", "*does not answer*")]
    public async Task Client_is_unhealthy_and_says_why(string part, string replacement, string expected)
    {
        HealthReportEntry entry = await CheckAsync(_connection.Replace(part, replacement, StringComparison.Ordinal));

        entry.Status.Should().Be(HealthStatus.Unhealthy);
        entry.Description.Should().Match(expected);
    }

    [Test]
    public void Dashboard_links_to_the_page_the_metrics_and_the_base_url()
    {
        _application.ResourceNotifications.TryGetCurrentState("llm", out ResourceEvent? state).Should().BeTrue();

        state!.Snapshot.Urls.Select(url => (new Uri(url.Url).AbsolutePath, url.DisplayProperties.DisplayName)).Should().BeEquivalentTo(
            [("/", "Web page"), ("/v1", "Base URL for OpenAI clients"), ("/metrics", "Metrics")]);
    }

    [Test]
    public async Task Server_whose_model_is_missing_ends_and_its_log_says_why()
    {
        using var limit = new CancellationTokenSource(s_limit);
        await _application.ResourceNotifications.WaitForResourceAsync("broken", KnownResourceStates.TerminalStates, limit.Token);

        (await ReadLogAsync("broken")).Should().Contain("missing.gguf");
    }

    [Test]
    public async Task Server_without_a_model_is_healthy_and_ends_cleanly_when_it_is_stopped()
    {
        using var limit = new CancellationTokenSource(s_limit);
        await _application.ResourceNotifications.WaitForResourceHealthyAsync("idle", limit.Token);
        ResourceNotificationService notifications = _application.ResourceNotifications;

        (await _application.ResourceCommands.ExecuteCommandAsync("idle", KnownResourceCommands.StopCommand, limit.Token)).Success.Should().BeTrue();

        ResourceEvent state = await notifications.WaitForResourceAsync("idle", state => KnownResourceStates.TerminalStates.Contains(state.Snapshot.State?.Text), limit.Token);
        state.Snapshot.ExitCode.Should().Be(0);
    }

    private async Task<string> ReadLogAsync(string name)
    {
        IResource resource = _application.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(resource => resource.Name == name);
        var lines = new List<string>();
        await foreach (IReadOnlyList<LogLine> batch in _application.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(resource))
        {
            lines.AddRange(batch.Select(line => line.Content));
        }

        return string.Join('\n', lines);
    }

    private static async Task<HealthReportEntry> CheckAsync(string connection)
    {
        using IHost host = Client(connection);
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        return report.Entries["MoeOffload_llm"];
    }

    private static IHost Client(string connection)
    {
        HostApplicationBuilder builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("ConnectionStrings:llm", connection)]);
        builder.AddMoeOffloadChatClient("llm");
        return builder.Build();
    }
}

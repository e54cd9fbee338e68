using FluentAssertions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Hosting.Tests;

[TestFixture]
public sealed class HealthCheckTests
{
    [Test]
    public async Task Loaded_model_is_healthy_with_its_memory_unless_too_little_is_free()
    {
        using var log = new HostLog();
        HostApplicationBuilder builder = Hosts.Builder(log, ("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"), ("MoeOffload:Devices", "none"));
        builder.Services.AddMoeOffload().AddHealthChecks().AddMoeOffload().AddMoeOffload(name: "full", minFreeBytes: long.MaxValue);
        using IHost host = builder.Build();
        await host.StartAsync();

        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        HealthReportEntry healthy = report.Entries["moeoffload"];
        healthy.Status.Should().Be(HealthStatus.Healthy);
        healthy.Data["state"].Should().Be("Loaded");
        healthy.Data["used:Host"].Should().Be(host.Services.GetRequiredService<GenerationSession>().Memory.Total.TotalBytes);
        healthy.Data["free:CPU"].Should().BeOfType<long>().Which.Should().BePositive();
        report.Entries["full"].Should().Match<HealthReportEntry>(entry => entry.Status == HealthStatus.Degraded && entry.Description!.Contains("CPU"));
        await host.StopAsync();
    }

    [Test]
    public async Task Model_that_is_being_loaded_is_not_healthy_before_it_is_loaded()
    {
        using var log = new HostLog();
        using var hold = new ManualResetEventSlim();
        HostApplicationBuilder builder = Hosts.Builder(log, ("MoeOffload:Models:a:Model", DemoModel.Path), ("MoeOffload:Models:a:Loading", "InBackground"), ("MoeOffload:Models:a:ContextLength", "512"));
        builder.Services.AddKeyedMoeOffload("a").AddHealthChecks().AddMoeOffload("a");
        using IHost host = builder.Build();
        log.OnMessage = message =>
        {
            if (message.StartsWith("Loading"))
            {
                hold.Wait();
            }
        };
        try
        {
            await host.StartAsync();
            HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
            (await health.CheckHealthAsync()).Entries["moeoffload:a"].Should().Match<HealthReportEntry>(
                entry => entry.Status == HealthStatus.Unhealthy && entry.Description == "The model 'tiny-moe' is being loaded.");
            hold.Set();
            await host.Services.GetRequiredKeyedService<HostedModel>("a").GetModelAsync();
            (await health.CheckHealthAsync()).Status.Should().Be(HealthStatus.Healthy);
            await host.StopAsync();
            (await health.CheckHealthAsync()).Status.Should().Be(HealthStatus.Unhealthy, "the model has been unloaded");
        }
        finally
        {
            hold.Set();
        }
    }

    [Test]
    public async Task Model_that_is_loaded_on_first_use_is_healthy_until_that_fails()
    {
        using var log = new HostLog();
        using var directory = new TemporaryDirectory();
        HostApplicationBuilder builder = Hosts.Builder(log, ("MoeOffload:Model", directory.Write("broken.gguf", "no model")), ("MoeOffload:Loading", "OnFirstUse"));
        builder.Services.AddMoeOffload().AddHealthChecks().AddMoeOffload(failureStatus: HealthStatus.Degraded);
        using IHost host = builder.Build();
        await host.StartAsync();
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
        (await health.CheckHealthAsync()).Status.Should().Be(HealthStatus.Healthy);

        await FluentActions.Awaiting(() => host.Services.GetRequiredService<HostedModel>().GetModelAsync()).Should().ThrowAsync<GgufFormatException>();

        HealthReportEntry failed = (await health.CheckHealthAsync()).Entries["moeoffload"];
        failed.Status.Should().Be(HealthStatus.Degraded, "that is the status of a failure here");
        failed.Exception.Should().BeOfType<GgufFormatException>();
        failed.Data["state"].Should().Be("Failed");
        await host.StopAsync();
    }

    [Test]
    public async Task Model_whose_device_is_lost_is_not_healthy()
    {
        using var log = new HostLog();
        using RpcServer server = RpcServer.Start();
        HostApplicationBuilder builder = Hosts.Builder(
            log, ("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"), ("MoeOffload:RpcServers", server.Address), ("MoeOffload:Generation", "true"));
        builder.Services.AddMoeOffload().AddHealthChecks().AddMoeOffload();
        using IHost host = builder.Build();
        await host.StartAsync();
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
        (await health.CheckHealthAsync()).Status.Should().Be(HealthStatus.Healthy);

        server.Kill();
        await FluentActions.Awaiting(() => host.Services.GetRequiredService<IChatClient>().GetResponseAsync("Tell me a story.")).Should().ThrowAsync<InferenceException>();

        HealthReportEntry lost = (await health.CheckHealthAsync()).Entries["moeoffload"];
        lost.Status.Should().Be(HealthStatus.Unhealthy);
        lost.Exception.Should().BeOfType<InferenceException>();
        lost.Description.Should().Contain(server.Address);
        await host.StopAsync();
    }
}

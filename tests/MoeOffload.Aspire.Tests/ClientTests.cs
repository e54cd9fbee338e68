using FluentAssertions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using NUnit.Framework;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace MoeOffload.Aspire.Tests;

/// <summary>What is registered, and where the settings come from. No server is asked.</summary>
[TestFixture]
public sealed class ClientTests
{
    private const string Connection = "Endpoint=http://localhost:4001/v1;Model=llm;Key=secret";

    [Test]
    public void Connection_string_has_endpoint_model_and_key()
    {
        MoeOffloadClientSettings settings = Read(("ConnectionStrings:llm", Connection));

        settings.Should().BeEquivalentTo(new { Endpoint = new Uri("http://localhost:4001/v1"), Model = "llm", Key = "secret", NetworkTimeout = TimeSpan.FromMinutes(10) });
    }

    [Test]
    public void Connection_string_can_be_the_endpoint_alone() =>
        Read(("ConnectionStrings:llm", "http://localhost:4001"), ("Aspire:MoeOffload:Model", "m")).Should().BeEquivalentTo(new { Endpoint = new Uri("http://localhost:4001"), Model = "m" });

    [Test]
    public void Later_places_of_settings_win()
    {
        MoeOffloadClientSettings settings = Read(
            settings => settings.Key = "by the delegate",
            ("Aspire:MoeOffload:Model", "of all"),
            ("Aspire:MoeOffload:DisableTracing", "true"),
            ("Aspire:MoeOffload:NetworkTimeout", "00:01:00"),
            ("Aspire:MoeOffload:Key", "of all"),
            ("Aspire:MoeOffload:Endpoint", "http://of-all"),
            ("Aspire:MoeOffload:llm:Model", "of the name"),
            ("Aspire:MoeOffload:llm:NetworkTimeout", "00:02:00"),
            ("Aspire:MoeOffload:llm:EnableSensitiveTelemetryData", "true"),
            ("Aspire:MoeOffload:other:Model", "of another"),
            ("ConnectionStrings:llm", "Endpoint=http://of-the-connection"));

        settings.Should().BeEquivalentTo(new
        {
            Endpoint = new Uri("http://of-the-connection"),
            Model = "of the name",
            Key = "by the delegate",
            NetworkTimeout = TimeSpan.FromMinutes(2),
            DisableTracing = true,
            DisableMetrics = false,
            DisableHealthChecks = false,
            EnableSensitiveTelemetryData = true,
        });
    }

    [TestCase("Endpoint=http://localhost:4001", "no model")]
    [TestCase("Model=llm", "no endpoint")]
    public void Client_without_a_setting_names_where_to_set_it(string connection, string expected)
    {
        HostApplicationBuilder builder = Application(("ConnectionStrings:llm", connection));
        builder.AddMoeOffloadChatClient("llm");
        using IHost host = builder.Build();

        host.Services.Invoking(services => services.GetRequiredService<IChatClient>())
            .Should().Throw<InvalidOperationException>().WithMessage($"*{expected}*ConnectionStrings:llm*Aspire:MoeOffload:llm:*");
    }

    [TestCase("Endpoint=ftp://localhost;Model=llm", "'ftp://localhost'*'llm'")]
    [TestCase("Endpoint=nothing;Model=llm", "'nothing'*'llm'")]
    [TestCase("some text", "'llm'")]
    public void Connection_string_that_is_not_valid_is_named(string connection, string expected)
    {
        HostApplicationBuilder builder = Application(("ConnectionStrings:llm", connection));

        builder.Invoking(it => it.AddMoeOffloadChatClient("llm")).Should().Throw<InvalidOperationException>().WithMessage($"*{expected}*Endpoint=http://HOST:PORT/v1*");
    }

    [Test]
    public void Clients_have_the_key_and_the_endpoint_of_their_name()
    {
        HostApplicationBuilder builder = Application(
            ("ConnectionStrings:writer", Connection), ("ConnectionStrings:critic", "Endpoint=https://critic:1/;Model=c"));
        builder.AddKeyedMoeOffloadChatClient("writer");
        builder.AddKeyedMoeOffloadChatClient("critic", settings => settings.Model = "qwen");
        using IHost host = builder.Build();

        Describe("writer").Should().Be((new Uri("http://localhost:4001/v1"), "llm"));
        Describe("critic").Should().Be((new Uri("https://critic:1/v1"), "qwen"));
        host.Services.GetService<IChatClient>().Should().BeNull();
        Checks(host).Should().BeEquivalentTo("MoeOffload_writer", "MoeOffload_critic");

        (Uri?, string?) Describe(string key)
        {
            ChatClientMetadata metadata = host.Services.GetRequiredKeyedService<IChatClient>(key).GetService<ChatClientMetadata>()!;
            return (metadata.ProviderUri, metadata.DefaultModelId);
        }
    }

    [Test]
    public void Telemetry_and_health_check_are_registered()
    {
        using IHost host = Host(_ => { });

        host.Services.GetRequiredService<IChatClient>().GetService<OpenTelemetryChatClient>().Should().NotBeNull();
        host.Services.GetService<TracerProvider>().Should().NotBeNull();
        host.Services.GetService<MeterProvider>().Should().NotBeNull();
        Checks(host).Should().Equal("MoeOffload_llm");
    }

    [Test]
    public void Telemetry_and_health_check_can_be_switched_off()
    {
        using IHost host = Host(settings => settings.DisableTracing = settings.DisableMetrics = settings.DisableHealthChecks = true);

        host.Services.GetRequiredService<IChatClient>().GetService<OpenTelemetryChatClient>().Should().BeNull();
        host.Services.GetService<TracerProvider>().Should().BeNull();
        host.Services.GetService<MeterProvider>().Should().BeNull();
        host.Services.GetService<IOptions<HealthCheckServiceOptions>>()?.Value.Registrations.Should().BeNullOrEmpty();
    }

    [Test]
    public void Two_clients_of_one_connection_have_one_health_check()
    {
        HostApplicationBuilder builder = Application(("ConnectionStrings:llm", Connection));
        builder.AddMoeOffloadChatClient("llm");
        builder.AddKeyedMoeOffloadChatClient("llm");
        using IHost host = builder.Build();

        Checks(host).Should().Equal("MoeOffload_llm");
    }

    private static IEnumerable<string> Checks(IHost host) =>
        host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations.Select(registration => registration.Name);

    private static IHost Host(Action<MoeOffloadClientSettings> configure)
    {
        HostApplicationBuilder builder = Application(("ConnectionStrings:llm", Connection));
        builder.AddMoeOffloadChatClient("llm", configure);
        return builder.Build();
    }

    private static MoeOffloadClientSettings Read(params (string Key, string Value)[] configuration) => Read(_ => { }, configuration);

    private static MoeOffloadClientSettings Read(Action<MoeOffloadClientSettings> configure, params (string Key, string Value)[] configuration)
    {
        MoeOffloadClientSettings? read = null;
        Application(configuration).AddMoeOffloadChatClient("llm", settings =>
        {
            configure(settings);
            read = settings;
        });
        return read!;
    }

    private static HostApplicationBuilder Application(params (string Key, string Value)[] configuration)
    {
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(configuration.Select(pair => KeyValuePair.Create<string, string?>(pair.Key, pair.Value)));
        return builder;
    }
}

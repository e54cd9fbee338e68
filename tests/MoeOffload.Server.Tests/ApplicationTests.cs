using System.Net;
using FluentAssertions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MoeOffload.Catalog;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>The server as a part of an application that has endpoints, services and conventions of its own.</summary>
[TestFixture]
public sealed class ApplicationTests
{
    private static ModelCatalog Catalog => new(new ModelCatalogOptions { Paths = [DemoModel.Path] });

    [Test]
    public async Task Endpoints_of_the_application_take_the_place_of_the_servers_with_the_same_route()
    {
        await using TestServer server = await TestServer.StartAsync(Catalog, map: app =>
        {
            app.MapGet("/", () => "my page");
            app.Map("/health", http => http.Response.WriteAsync("my health"));
            app.MapPost("/v1/chat/completions", () => "my chat");
            app.MapGet("/{**rest}", () => "my rest");
        });

        (await server.Http.GetStringAsync("/")).Should().Be("my page");
        (await server.Http.GetStringAsync("/health")).Should().Be("my health");
        (await server.Http.GetStringAsync("/elsewhere")).Should().Be("my rest");
        using HttpResponseMessage chat = await server.PostAsync("/v1/chat/completions", TestServer.Chat("Hi"));
        (await chat.Content.ReadAsStringAsync()).Should().Be("my chat");
        (await server.Http.GetStringAsync("/ready")).Should().Contain("ready", "a route that only matches it too does not take its place");
        (await server.Http.GetStringAsync("/v1/models")).Should().Contain(TestServer.Demo);
    }

    [Test]
    public async Task Conventions_apply_to_all_endpoints()
    {
        await using WebApplication app = Build();
        app.MapMoeOffload().WithMetadata(new Mark());

        Endpoint[] endpoints = [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints)];
        endpoints.Should().HaveCountGreaterThan(40).And.OnlyContain(endpoint => endpoint.Metadata.GetMetadata<Mark>() != null);
    }

    [Test]
    public async Task Endpoints_are_mapped_once()
    {
        await using WebApplication app = Build();
        app.MapMoeOffload();
        app.Invoking(it => it.MapMoeOffload()).Should().Throw<InvalidOperationException>().WithMessage("MapMoeOffload was called twice*Remove*");
    }

    [Test]
    public async Task Endpoints_without_services_say_what_is_missing()
    {
        await using WebApplication app = WebApplication.CreateSlimBuilder().Build();
        app.Invoking(it => it.MapMoeOffload()).Should().Throw<InvalidOperationException>().WithMessage("*AddMoeOffload(catalog)*");
    }

    [Test]
    public async Task Services_of_the_application_are_kept()
    {
        var time = new OwnTime();
        await using TestServer server = await TestServer.StartAsync(Catalog, build: builder => builder.Services.AddSingleton<TimeProvider>(time));

        server.App.Services.GetServices<TimeProvider>().Should().Equal(time);
        server.App.Services.GetRequiredService<ModelHost>().Should().BeSameAs(server.Models);
    }

    [Test]
    public async Task Endpoint_of_the_application_can_ask_for_the_servers_keys()
    {
        await using TestServer server = await TestServer.StartAsync(
            Catalog,
            options => options.Access.ApiKeys = ["secret"],
            map: app =>
            {
                app.MapGet("/closed", () => "inside").RequireMoeOffloadAccess();
                app.MapGet("/open", () => "outside");
            });
        using HttpResponseMessage refused = await server.Http.GetAsync("/closed");
        using HttpClient client = server.Client("secret");

        refused.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await client.GetStringAsync("/closed")).Should().Be("inside");
        (await server.Http.GetStringAsync("/open")).Should().Be("outside");
    }

    [Test]
    public void Server_needs_no_package_of_OpenTelemetry() => typeof(ModelHost).Assembly.GetReferencedAssemblies()
        .Should().NotContain(name => name.Name!.StartsWith("OpenTelemetry", StringComparison.Ordinal));

    private static WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddMoeOffload(Catalog);
        return builder.Build();
    }

    private sealed class Mark;

    private sealed class OwnTime : TimeProvider;
}

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Loading;
using MoeOffload.Server;

namespace MoeOffload.Cli.Serving;

/// <summary>Starts the server of <c>moe serve</c> in this process for a benchmark.</summary>
internal sealed class ModelServing : IModelServing
{
    private const string Url = "http://127.0.0.1:0";

    public ContextOptions UsualContext { get; } = new ModelHostOptions().Context;

    public async Task<IServedModel> StartAsync(string path, ModelOptions load, ContextOptions context, CancellationToken cancellationToken)
    {
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [path] });
        string name = catalog.Discover() is [var entry, ..] ? entry.Name : throw new UsageException($"{path} is not the first part of a split model: use the path of the first part.");
        WebApplication application = ServerHost.Build(catalog, Configure, Url, logging => logging.ClearProviders());
        try
        {
            await ServerHost.StartAsync(application, Url, cancellationToken).ConfigureAwait(false);
            await LoadAsync(application.Services.GetRequiredService<ModelHost>(), name, cancellationToken).ConfigureAwait(false);
            return new Served(application, name);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        void Configure(MoeServerOptions options)
        {
            options.Models.Load = load;
            options.Models.Context = context;
            options.Limits.RequestTimeout = TimeSpan.FromDays(1);
        }
    }

    private static async Task LoadAsync(ModelHost host, string name, CancellationToken cancellationToken)
    {
        try
        {
            (await host.AcquireAsync(name, cancellationToken).ConfigureAwait(false)).Dispose();
        }
        catch (Exception error) when (error is ModelLoadException or ModelMemoryException)
        {
            throw new LoadFailedException(error);
        }
    }

    private sealed class Served(WebApplication application, string model) : IServedModel
    {
        public Uri Address { get; } = new(application.Urls.First());

        public string Model => model;

        public async ValueTask DisposeAsync()
        {
            await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
            await application.DisposeAsync().ConfigureAwait(false);
        }
    }
}

using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Serving;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Loading;
using MoeOffload.Server;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe serve</c>, which serves the models of this machine over HTTP.</summary>
internal sealed class ServeCommand : ICliCommand
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromMilliseconds(100);

    private readonly ModelArgument _model;
    private readonly ModelOpener _opener;
    private readonly ServeArguments _serve = new();
    private readonly SamplingArguments _sampling = new();

    public ServeCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        _opener = ModelOpener.ForAnswers(global, _model);
        Command = new Command("serve", "Serve models over HTTP with the APIs of OpenAI, Anthropic, Ollama and shimmy");
        _opener.AddTo(Command);
        _serve.AddTo(Command);
        _sampling.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        (ModelCatalog catalog, CatalogEntry? preloaded) = await FindAsync(invocation).ConfigureAwait(false);
        Action<MoeServerOptions> configure = Configure(invocation, preloaded);
        var options = new MoeServerOptions();
        configure(options);
        string url = BindAddress.Choose(invocation.Parsed.GetValue(_serve.Bind), _serve.HostAndPort(invocation.Parsed), Environment.GetEnvironmentVariable);
        try
        {
            ServerAddress.Validate([url], options.Access);
        }
        catch (InvalidOperationException)
        {
            throw new UsageException(
                $"{url} can be reached from other machines, but there is no API key: set one with --api-key or MOE_API_KEY, listen on 127.0.0.1, "
                + "or use --allow-remote-without-key if everyone on the network may use the server.");
        }

        WebApplication application;
        try
        {
            application = ServerHost.Build(catalog, configure, url, invocation.ConfigureLogging);
        }
        catch (OptionsValidationException error)
        {
            throw new UsageException(string.Join(' ', error.Failures));
        }

        await using (application.ConfigureAwait(false))
        {
            await ServerHost.StartAsync(application, url, invocation.Cancelled).ConfigureAwait(false);
            invocation.Terminal.Out.WriteLine($"Listening on {application.Urls.First()}");
            try
            {
                if (preloaded is not null)
                {
                    await PreloadAsync(invocation, application.Services.GetRequiredService<ModelHost>(), preloaded).ConfigureAwait(false);
                    invocation.Terminal.Out.WriteLine($"Loaded {preloaded.Name}");
                }

                await Task.Delay(Timeout.Infinite, invocation.Cancelled).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (invocation.Cancelled.IsCancellationRequested)
            {
                invocation.Terminal.Error.WriteLine("Stopping after the running requests. Press Ctrl-C again to stop at once.");
            }
            finally
            {
                await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }

        // SIGTERM is the regular way to stop a server, so it is a success.
        return invocation.Interruption.Code == ExitCode.Terminated ? ExitCode.Success : invocation.Interruption.Code;
    }

    private async Task<(ModelCatalog Catalog, CatalogEntry? Preloaded)> FindAsync(Invocation invocation)
    {
        ModelCatalogOptions places = _model.CatalogOptions(invocation.Parsed);
        var catalog = new ModelCatalog(places);
        if (await _model.TryReadAsync(invocation).ConfigureAwait(false) is not { } named)
        {
            return (catalog, null);
        }

        if (catalog.Discover().FirstOrDefault(entry => entry.Path == named.Path) is { } known)
        {
            return (catalog, known);
        }

        // The file is outside of the catalog's places. Its name depends on the other models, which can have the same name.
        catalog = new ModelCatalog(places with { Paths = [named.Path, .. places.Paths] });
        return (catalog, catalog.Discover().FirstOrDefault(entry => entry.Path == named.Path)
            ?? throw new UsageException($"{named.Path} is not the first part of a split model: use the path of the first part."));
    }

    private Action<MoeServerOptions> Configure(Invocation invocation, CatalogEntry? preloaded)
    {
        SamplingOptions sampling = _sampling.Read(invocation.Parsed);
        Action<MoeServerOptions> serve = _serve.Read(invocation.Parsed, preloaded?.Name);
        ModelCompanions? companions = _opener.Companions(invocation);
        if (companions is not null && preloaded is null)
        {
            throw new UsageException("--lora, --lora-scaled and --spec-draft-model belong to one model: put it on the command line.");
        }

        return options =>
        {
            options.Models.Context = _opener.ContextOptions(invocation, options.Models.Context);
            options.Requests.Sampling = sampling;
            options.Requests.DefaultModel = preloaded?.Name;
            if (companions is not null)
            {
                options.Models.Companions = new Dictionary<string, ModelCompanions> { [preloaded!.Name] = companions };
            }

            serve(options);
            options.Models.Load = _opener.LoadOptions(invocation, options.Models.Context);
        };
    }

    private static async Task PreloadAsync(Invocation invocation, ModelHost host, CatalogEntry entry)
    {
        try
        {
            await ProgressBar.RunAsync(invocation.Terminal, $"Loading {entry.Name}", async progress =>
            {
                Task<ModelLease> load = host.AcquireAsync(entry.Name, invocation.Cancelled);
                while (await Task.WhenAny(load, Task.Delay(s_progressInterval)).ConfigureAwait(false) != load)
                {
                    progress.Report((float)host.GetStatus(entry.Name).Progress);
                }

                (await load.ConfigureAwait(false)).Dispose();
                return true;
            }).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ModelLoadException or ModelMemoryException)
        {
            throw new LoadFailedException(error);
        }
    }
}

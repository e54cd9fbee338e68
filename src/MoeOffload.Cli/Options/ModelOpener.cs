using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Loading;
using MoeOffload.Server;

namespace MoeOffload.Cli.Options;

/// <summary>Loads the model that a command line names, and creates its context.</summary>
/// <param name="model">The argument that selects the model.</param>
/// <param name="load">The options for loading.</param>
/// <param name="context">The options of the context.</param>
internal sealed class ModelOpener(ModelArgument model, LoadArguments load, ContextArguments context)
{
    public void AddTo(Command command)
    {
        model.AddTo(command);
        AddLoadingTo(command);
    }

    /// <summary>Adds the options for loading and for the context, without the argument that selects the model.</summary>
    public void AddLoadingTo(Command command)
    {
        load.AddTo(command);
        context.AddTo(command);
    }

    /// <summary>Finds the model that the command line names.</summary>
    public CatalogEntry Find(Invocation invocation) => model.Read(invocation.Parsed);

    /// <summary>Reads the options for loading.</summary>
    /// <exception cref="LoadFailedException">A device or a placement rule is not valid.</exception>
    public ModelOptions LoadOptions(Invocation invocation) => ModelLoading.Run(() =>
        load.ChooseBackend(
            load.Read(invocation.Parsed) with { LoggerFactory = invocation.Loggers, LoadMtpLayers = context.WantsMtpLayers(invocation.Parsed) },
            invocation.Parsed));

    /// <summary>Reads the options of the context. The length is 0 if none is given.</summary>
    public ContextOptions ContextOptions(Invocation invocation, ContextOptions? start = null) =>
        context.Read(invocation.Parsed, start ?? new ContextOptions());

    /// <summary>Loads a model and shows a progress bar.</summary>
    /// <exception cref="LoadFailedException">The model cannot be loaded.</exception>
    public async Task<MoeModel> LoadAsync(Invocation invocation, CatalogEntry entry)
    {
        ModelOptions options = LoadOptions(invocation);
        return await ModelLoading.RunAsync(() => ProgressBar.RunAsync(
            invocation.Terminal,
            $"Loading {entry.Name}",
            progress => MoeModel.LoadAsync(entry.Path, options, progress, invocation.Cancelled))).ConfigureAwait(false);
    }

    /// <summary>Creates a session of a loaded model.</summary>
    /// <exception cref="LoadFailedException">The context cannot be created.</exception>
    public static Task<GenerationSession> OpenSessionAsync(MoeModel loaded, ContextOptions options) =>
        ModelLoading.RunAsync(() => loaded.CreateSessionAsync(ModelContext.For(options, loaded.Info)));
}

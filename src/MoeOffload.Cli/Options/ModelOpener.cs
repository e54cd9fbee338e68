using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Loading;
using MoeOffload.Server;

namespace MoeOffload.Cli.Options;

/// <summary>Loads the model that a command line names, and makes its context.</summary>
/// <param name="model">Which model.</param>
/// <param name="load">How it is loaded.</param>
/// <param name="context">The context.</param>
internal sealed class ModelOpener(ModelArgument model, LoadArguments load, ContextArguments context)
{
    public void AddTo(Command command)
    {
        model.AddTo(command);
        AddLoadingTo(command);
    }

    /// <summary>Adds how models are loaded, but not which.</summary>
    public void AddLoadingTo(Command command)
    {
        load.AddTo(command);
        context.AddTo(command);
    }

    /// <summary>The model that is named.</summary>
    public CatalogEntry Find(Invocation invocation) => model.Read(invocation.Parsed);

    /// <summary>How it is loaded.</summary>
    /// <exception cref="LoadFailedException">A device or a rule is wrong.</exception>
    public ModelOptions LoadOptions(Invocation invocation) => ModelLoading.Run(() =>
        load.ChooseBackend(
            load.Read(invocation.Parsed) with { LoggerFactory = invocation.Loggers, LoadMtpLayers = context.WantsMtpLayers(invocation.Parsed) },
            invocation.Parsed));

    /// <summary>The context, with a length of 0 where none is said.</summary>
    public ContextOptions ContextOptions(Invocation invocation, ContextOptions? start = null) =>
        context.Read(invocation.Parsed, start ?? new ContextOptions());

    /// <summary>Loads a model, with a bar.</summary>
    /// <exception cref="LoadFailedException">It cannot be loaded.</exception>
    public async Task<MoeModel> LoadAsync(Invocation invocation, CatalogEntry entry)
    {
        ModelOptions options = LoadOptions(invocation);
        return await ModelLoading.RunAsync(() => ProgressBar.RunAsync(
            invocation.Terminal,
            $"Loading {entry.Name}",
            progress => MoeModel.LoadAsync(entry.Path, options, progress, invocation.Cancelled))).ConfigureAwait(false);
    }

    /// <summary>Makes a session of a loaded model.</summary>
    /// <exception cref="LoadFailedException">The context cannot be made.</exception>
    public static Task<GenerationSession> OpenSessionAsync(MoeModel loaded, ContextOptions options) =>
        ModelLoading.RunAsync(() => loaded.CreateSessionAsync(ModelContext.For(options, loaded.Info)));
}

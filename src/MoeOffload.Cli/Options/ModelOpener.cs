using System.CommandLine;
using System.Globalization;
using MoeOffload.Catalog;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Loading;
using MoeOffload.Server;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Loads the model that a command line names, and creates its context.</summary>
/// <param name="model">The argument that selects the model.</param>
/// <param name="load">The options for loading.</param>
/// <param name="context">The options of the context.</param>
/// <param name="adapters">The options for LoRA adapters, or <see langword="null"/> if the command does not have them.</param>
internal sealed class ModelOpener(ModelArgument model, LoadArguments load, ContextArguments context, AdapterArguments? adapters = null)
{
    // A context is rounded up to a multiple of 256 tokens. Less than this is not worth a message.
    private const double NotableGrowth = 1.1;

    /// <summary>Creates the opener of a command that answers, which can use LoRA adapters and a draft model.</summary>
    /// <param name="global">The options of all commands.</param>
    /// <param name="model">The argument that selects the model, or <see langword="null"/> if the command does not need it.</param>
    public static ModelOpener ForAnswers(GlobalOptions global, ModelArgument? model = null) =>
        new(model ?? new ModelArgument(global), new LoadArguments(global), new ContextArguments(hasDraftModel: true), new AdapterArguments());

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
        adapters?.AddTo(command);
    }

    /// <summary>Finds the model that the command line names, and downloads it if it is to be.</summary>
    public Task<CatalogEntry> FindAsync(Invocation invocation) => model.ReadAsync(invocation);

    /// <summary>Reads the options for loading.</summary>
    /// <exception cref="LoadFailedException">A device or a placement rule is not valid.</exception>
    public ModelOptions LoadOptions(Invocation invocation) => LoadOptions(invocation, ContextOptions(invocation));

    /// <summary>Reads the options for loading a model that is used with a certain context.</summary>
    /// <inheritdoc cref="LoadOptions(Invocation)" path="/exception"/>
    public ModelOptions LoadOptions(Invocation invocation, ContextOptions used) => ModelLoading.Run(() =>
    {
        ModelOptions options = load.ChooseBackend(
            load.Read(invocation.Parsed) with { LoggerFactory = invocation.Loggers, LoadMtpLayers = context.WantsMtpLayers(invocation.Parsed) },
            invocation.Parsed);
        return load.ChoosePlacement(options, invocation.Parsed, used);
    });

    /// <summary>Gets the memory that a planned placement leaves free, or <see langword="null"/> for the default.</summary>
    public long? FitMargin(Invocation invocation) => load.FitMargin(invocation.Parsed);

    /// <summary>Reads the options of the context. The length is 0 if none is given.</summary>
    public ContextOptions ContextOptions(Invocation invocation, ContextOptions? start = null) =>
        context.Read(invocation.Parsed, start ?? new ContextOptions());

    /// <summary>Reads what is loaded with the model; null if there is nothing.</summary>
    public ModelCompanions? Companions(Invocation invocation)
    {
        string? draft = context.DraftModel(invocation.Parsed);
        IReadOnlyList<AdapterFile> files = adapters?.Read(invocation.Parsed) ?? [];
        return draft is null && files.Count == 0
            ? null
            : new ModelCompanions { Adapters = files, DraftModelPath = draft is null ? null : model.Find(invocation.Parsed, draft).Path };
    }

    /// <summary>Loads a model with its adapters and its draft model, shows a progress bar, and creates a session.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="entry">The model.</param>
    /// <param name="options">The options of the context.</param>
    /// <exception cref="LoadFailedException">The model cannot be loaded, or its context cannot be created.</exception>
    public async Task<OpenModel> OpenAsync(Invocation invocation, CatalogEntry entry, ContextOptions options)
    {
        ModelCompanions? files = Companions(invocation);
        ModelOptions load = LoadOptions(invocation);
        MoeModel loaded = await LoadAsync(invocation, entry.Path, entry.Name, load).ConfigureAwait(false);
        LoadedCompanions? companions = null;
        try
        {
            companions = await ModelLoading.RunAsync(() => LoadedCompanions.LoadAsync(
                loaded, files, load, (path, draft) => LoadAsync(invocation, path, Path.GetFileName(path), draft), invocation.Cancelled)).ConfigureAwait(false);
            ContextOptions context = companions.ApplyTo(options);
            GenerationSession session = await ModelLoading.RunAsync(() => loaded.CreateSessionAsync(ModelContext.For(context, loaded.Info))).ConfigureAwait(false);
            if (options.ContextLength > 0 && session.ContextLength > options.ContextLength * NotableGrowth)
            {
                invocation.Terminal.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"note: the context has {session.ContextLength} tokens, not {options.ContextLength}: its length is a multiple of 256."));
            }

            return new OpenModel(loaded, companions, session);
        }
        catch
        {
            companions?.Dispose();
            loaded.Dispose();
            throw;
        }
    }

    private static async Task<MoeModel> LoadAsync(Invocation invocation, string path, string name, ModelOptions options)
    {
        return await ModelLoading.RunAsync(() => ProgressBar.RunAsync(
            invocation.Terminal,
            $"Loading {name}",
            progress => MoeModel.LoadAsync(path, options, progress, invocation.Cancelled))).ConfigureAwait(false);
    }
}

using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the argument that selects a model by its name or by the path of its file.</summary>
internal sealed class ModelArgument
{
    private readonly GlobalOptions _global;
    private readonly HubArguments _hub = new();

    public ModelArgument(GlobalOptions global)
    {
        _global = global;
        Name = new Argument<string?>("NAME")
        {
            HelpName = "NAME",
            Description = "The model: a name from 'moe list', ORG/REPO[:QUANT], or the path of a GGUF file",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Name.CompletionSources.Add(context => Catalog(context.ParseResult).Discover().Select(entry => new System.CommandLine.Completions.CompletionItem(entry.Name)));
    }

    public Argument<string?> Name { get; }

    public Option<string?> Path { get; } = Opt.Text("PATH", "The model, if NAME is not given", "--model", "-m", "--model-path");

    public void AddTo(Command command)
    {
        command.Arguments.Add(Name);
        command.Options.Add(Path);
        _hub.AddTo(command);
        command.Validators.Add(result =>
        {
            // Words after the model, if the command has some, begin with the first one.
            if (command.Arguments is [_] && result.GetValue<string?>("--hf-repo") is not null && result.GetResult(Name) is { Implicit: false, Tokens.Count: > 0 })
            {
                result.AddError("--hf-repo and NAME cannot be combined: both select the model.");
            }
        });
    }

    /// <summary>Gets the options of the catalog, including the directories that the command line adds.</summary>
    public ModelCatalog Catalog(ParseResult parsed) => new(CatalogOptions(parsed));

    public ModelCatalogOptions CatalogOptions(ParseResult parsed)
    {
        var options = ModelCatalogOptions.FromEnvironment();
        return options with { Paths = [.. options.Paths, .. ModelCatalogOptions.SplitPaths(parsed.GetValue(_global.ModelDirectories))] };
    }

    /// <summary>Gets the word at the place of the model that is none, because an option selects the model; null if there is none.</summary>
    public string? WordAfterHub(ParseResult parsed) => _hub.Read(parsed) is null ? null : parsed.GetValue(Name);

    /// <summary>Finds the model that the command line names, and downloads it if it is to be; null if it names none.</summary>
    /// <exception cref="ModelNotFoundException">No model has the name.</exception>
    /// <exception cref="AmbiguousModelException">Several models have the name.</exception>
    public async Task<CatalogEntry?> TryReadAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        if (_hub.Read(parsed) is { } reference)
        {
            return await _hub.GetAsync(invocation, reference, Catalog(parsed)).ConfigureAwait(false);
        }

        string? name = parsed.GetValue(Name) ?? parsed.GetValue(Path);
        return string.IsNullOrWhiteSpace(name) ? null : Find(parsed, name);
    }

    /// <summary>Finds the model of a name.</summary>
    /// <inheritdoc cref="TryReadAsync" path="/exception"/>
    public CatalogEntry Find(ParseResult parsed, string name)
    {
        try
        {
            return Catalog(parsed).Resolve(name);
        }
        catch (ModelNotFoundException error) when (ModelReference.TryParse(name, out _))
        {
            throw new ModelNotFoundException($"{error.Message} 'moe pull {name}' downloads it from Hugging Face.", error);
        }
    }

    /// <summary>Finds the model that the command line names, and downloads it if it is to be.</summary>
    /// <exception cref="UsageException">The command line names no model.</exception>
    /// <inheritdoc cref="TryReadAsync" path="/exception"/>
    public async Task<CatalogEntry> ReadAsync(Invocation invocation) => await TryReadAsync(invocation).ConfigureAwait(false)
        ?? throw new UsageException("No model is given: pass a name from 'moe list', the path of a GGUF file, or -hf ORG/REPO to download one, or set MOE_MODEL.");
}

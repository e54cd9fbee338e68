using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Options;

/// <summary>Which model: by name, or by the path of its file.</summary>
internal sealed class ModelArgument
{
    private readonly GlobalOptions _global;

    public ModelArgument(GlobalOptions global)
    {
        _global = global;
        Name = new Argument<string?>("NAME")
        {
            Description = "The model: a name that 'moe list' shows, ORG/REPO[:QUANT], or the path of a GGUF file",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Name.CompletionSources.Add(context => Catalog(context.ParseResult).Discover().Select(entry => new System.CommandLine.Completions.CompletionItem(entry.Name)));
    }

    public Argument<string?> Name { get; }

    public Option<string?> Path { get; } = Opt.Text("PATH", "The model, where no NAME is given", "--model", "-m", "--model-path");

    public void AddTo(Command command)
    {
        command.Arguments.Add(Name);
        command.Options.Add(Path);
    }

    /// <summary>The models of this machine, and of the directories that the command line adds.</summary>
    public ModelCatalog Catalog(ParseResult parsed) => new(CatalogOptions(parsed));

    public ModelCatalogOptions CatalogOptions(ParseResult parsed)
    {
        var options = ModelCatalogOptions.FromEnvironment();
        return options with { Paths = [.. options.Paths, .. ModelCatalogOptions.SplitPaths(parsed.GetValue(_global.ModelDirectories))] };
    }

    /// <summary>The model that the command line names; null where it names none.</summary>
    /// <exception cref="ModelNotFoundException">There is none.</exception>
    /// <exception cref="AmbiguousModelException">There are several.</exception>
    public CatalogEntry? TryRead(ParseResult parsed)
    {
        string? name = parsed.GetValue(Name) ?? parsed.GetValue(Path);
        return string.IsNullOrWhiteSpace(name) ? null : Find(parsed, name);
    }

    /// <summary>The model of a name.</summary>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public CatalogEntry Find(ParseResult parsed, string name)
    {
        bool isPath = name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || name.Contains(System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (isPath && File.Exists(name))
        {
            string path = System.IO.Path.GetFullPath(name);
            return new ModelCatalog(new ModelCatalogOptions { Paths = [path] }).Discover() is [var entry, ..]
                ? entry
                : new CatalogEntry(System.IO.Path.GetFileName(path), path, new FileInfo(path).Length, ModelSource.Directory);
        }

        try
        {
            return Catalog(parsed).Find(name);
        }
        catch (ModelNotFoundException error) when (ModelReference.TryParse(name, out _))
        {
            throw new ModelNotFoundException($"{error.Message} 'moe pull {name}' gets it from the hub.", error);
        }
    }

    /// <summary>The model that the command line names.</summary>
    /// <exception cref="UsageException">It names none.</exception>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public CatalogEntry Read(ParseResult parsed) => TryRead(parsed)
        ?? throw new UsageException("Which model? Name it, for instance by a name that 'moe list' shows, or set SHIMMY_BASE_GGUF.");
}

using Microsoft.Extensions.Hosting;
using MoeOffload.Catalog;

namespace MoeOffload.Hosting.Settings;

/// <summary>Finds the files of models. Relative paths begin at the content root of the host.</summary>
/// <param name="environment">The environment of the host, or <see langword="null"/> if there is no host.</param>
internal sealed class ModelFiles(IHostEnvironment? environment)
{
    /// <summary>Finds a model by its path or its name. Blocks while directories are read.</summary>
    /// <exception cref="ModelNotFoundException">There is no such file, and no model has the name.</exception>
    /// <exception cref="AmbiguousModelException">Several models have the name.</exception>
    public CatalogEntry Find(HostedModelOptions options, string model)
    {
        string absolute = Absolute(model);
        return new ModelCatalog(options.Catalog).Resolve(File.Exists(absolute) ? absolute : model);
    }

    /// <summary>Returns a path that does not depend on the current directory.</summary>
    public string Absolute(string path) => Path.GetFullPath(path, environment?.ContentRootPath is { Length: > 0 } root ? root : Environment.CurrentDirectory);

    /// <summary>Returns the id of a model, which does not depend on whether it is loaded.</summary>
    public static string IdOf(HostedModelOptions options) => options.ChatClient.ModelId
        ?? (options.Model!.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? Path.GetFileNameWithoutExtension(options.Model) : options.Model);
}

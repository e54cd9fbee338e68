using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options that select a model on Hugging Face and download it, with llama.cpp's names.</summary>
internal sealed class HubArguments
{
    private readonly Option<string?> _repository = Opt.Text(
        "ORG/REPO[:QUANT]", "The model on Hugging Face, which is downloaded if it is not in the cache", "--hf-repo", "-hf", "-hfr");

    private readonly Option<string?> _file = Opt.Text("FILE", "The file of the repository, instead of QUANT", "--hf-file", "-hff");
    private readonly Option<string?> _token = Opt.Text("TOKEN", "The access token; the default is HF_TOKEN", "--hf-token", "-hft");

    public void AddTo(Command command)
    {
        command.Options.Add(_repository);
        command.Options.Add(_file);
        command.Options.Add(_token);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_repository) is null && result.GetValue(_file) is not null)
            {
                result.AddError("--hf-file needs --hf-repo ORG/REPO, the repository of the file.");
            }
        });
    }

    /// <summary>Gets the model that the command line names; null if it names none.</summary>
    /// <exception cref="UsageException">The reference is not valid.</exception>
    public ModelReference? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_repository) is not { } text)
        {
            return null;
        }

        if (!ModelReference.TryParse(text, out ModelReference? reference))
        {
            throw new UsageException($"--hf-repo is '{text}', but must be ORG/REPO or ORG/REPO:QUANT, such as ggml-org/gpt-oss-20b-GGUF:MXFP4.");
        }

        return parsed.GetValue(_file) is { } file ? reference with { Variant = file } : reference;
    }

    /// <summary>Finds a model in the cache, or downloads it.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="reference">The model.</param>
    /// <param name="catalog">The models on this machine.</param>
    public async Task<CatalogEntry> GetAsync(Invocation invocation, ModelReference reference, ModelCatalog catalog) =>
        TryFind(catalog, reference.ToString()) is { Source: ModelSource.HuggingFace } known
            ? known
            : await ModelDownload.RunAsync(
                invocation,
                reference.ToString(),
                options => invocation.Parsed.GetValue(_token) is { } token ? options with { Token = token } : options).ConfigureAwait(false);

    private static CatalogEntry? TryFind(ModelCatalog catalog, string name)
    {
        try
        {
            return catalog.Find(name);
        }
        catch (Exception error) when (error is ModelNotFoundException or AmbiguousModelException)
        {
            return null;
        }
    }
}

using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Shared;

namespace MoeOffload.Hosting.Settings;

/// <summary>Checks the options of a model, and reports everything that is wrong at once.</summary>
/// <param name="paths">Finds the files of the options.</param>
internal sealed class ModelValidation(ModelFiles paths) : IValidateOptions<HostedModelOptions>
{
    public ValidateOptionsResult Validate(string? name, HostedModelOptions options)
    {
        string path = ModelRegistration.PathOf(name);
        var faults = new OptionFaults();
        foreach (string fault in options.Faults)
        {
            faults.Add(fault);
        }

        bool isComplete = faults.Require(options.Load, $"{path}: {nameof(HostedModelOptions)}.{nameof(options.Load)}")
            & faults.Require(options.Catalog, $"{path}: {nameof(HostedModelOptions)}.{nameof(options.Catalog)}")
            & faults.Require(options.Companions, $"{path}: {nameof(HostedModelOptions)}.{nameof(options.Companions)}")
            & faults.Require(options.ChatClient, $"{path}: {nameof(HostedModelOptions)}.{nameof(options.ChatClient)}");
        if (isComplete)
        {
            CheckValues(options, path, faults);
            CheckFiles(options, path, faults);
        }

        return faults.Messages.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Messages);
    }

    /// <summary>Checks the values of options, without looking for files.</summary>
    /// <exception cref="ArgumentException">A value is not valid.</exception>
    public static void Check(HostedModelOptions options)
    {
        options.Load.Validate();
        options.Context?.Validate();
        options.Embedding?.Validate();
        options.ChatClient.Defaults.Sampling?.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(options.FitMargin ?? 0, nameof(options.FitMargin));
    }

    /// <summary>Returns the message of an exception in one line, without the name of the parameter.</summary>
    public static string Describe(Exception error)
    {
        string message = error.Message.ReplaceLineEndings(" ");
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static void CheckValues(HostedModelOptions options, string path, OptionFaults faults)
    {
        try
        {
            Check(options);
        }
        catch (ArgumentException error)
        {
            faults.Add($"{path}: {Describe(error)}");
        }

        if (options.Context is null && options.Embedding is null)
        {
            faults.Add($"{path}:Generation is false and there are no embeddings, so the model would do nothing: remove it, or set {path}:Embeddings to true.");
        }
    }

    // A model that is loaded on first use can be downloaded until then.
    private void CheckFiles(HostedModelOptions options, string path, OptionFaults faults)
    {
        if (string.IsNullOrWhiteSpace(options.Model))
        {
            faults.Add($"{path}:Model is missing: set it to the path of a GGUF file, or to the name of a model.");
        }
        else if (options.Loading != ModelLoading.OnFirstUse)
        {
            Find(options.Model, "Model");
        }

        if (options.Companions.DraftModelPath is { } draft && options.Loading != ModelLoading.OnFirstUse)
        {
            Find(draft, "DraftModel");
        }

        foreach (AdapterFile adapter in options.Companions.Adapters.Where(adapter => !File.Exists(paths.Absolute(adapter.Path))))
        {
            faults.Add($"{path}:Adapters: there is no file '{adapter.Path}'. Correct the path, or remove it.");
        }

        if (options.Load.ProjectorPath is { } projector && options.Loading != ModelLoading.OnFirstUse && !File.Exists(paths.Absolute(projector)))
        {
            faults.Add($"{path}:Projector: there is no file '{projector}'. Correct the path, or remove it.");
        }

        void Find(string model, string key)
        {
            try
            {
                paths.Find(options, model);
            }
            catch (Exception error) when (error is ModelNotFoundException or AmbiguousModelException)
            {
                faults.Add($"{path}:{key} is '{model}': {error.Message}");
            }
        }
    }
}

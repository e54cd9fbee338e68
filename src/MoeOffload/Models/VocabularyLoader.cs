using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Gguf;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Loads the vocabulary of a file without its weights.</summary>
internal static class VocabularyLoader
{
    /// <summary>Loads a vocabulary.</summary>
    /// <param name="path">The path of the file, or of a part of a split model.</param>
    /// <param name="options">The options.</param>
    public static NativeModel Load(string path, ModelOptions options)
    {
        options.Validate();
        GgufModelFiles files = GgufModelFiles.OpenFirst(path);
        ModelLoader.CheckOverrides(files.Metadata, options.MetadataOverrides);
        GgufModelCheck.ValidateVocabulary(files, options.MetadataOverrides);
        ILogger logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger(NativeLog.Category);
        NativeRuntime.EnsureLoaded(options.NativeLibraryDirectory, logger);
        ModelSettings settings = ModelSettingsMapping.Map(new ModelOptions { MetadataOverrides = Overrides(files, options) }, []) with
        {
            LoadMode = NativeLoadMode.None,
            VocabularyOnly = true,
        };
        using (NativeLog.Enter(logger))
        {
            return NativeModel.Load([files.Path], settings, simulate: false, progress: null, CancellationToken.None);
        }
    }

    // The other parts of a split model have only tensors, and do not have to be there.
    private static IReadOnlyDictionary<string, MetadataValue> Overrides(GgufModelFiles files, ModelOptions options) => files.Parts[0].Split is null
        ? options.MetadataOverrides
        : new Dictionary<string, MetadataValue>(options.MetadataOverrides) { [GgufKeys.SplitCount] = 1L };
}

using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using MoeOffload.Gguf;

namespace MoeOffload.Models;

/// <summary>Finds the projector of a model.</summary>
internal static partial class ProjectorFiles
{
    // Beyond this, a directory is not one of a few models.
    private const int MostFiles = 1000;

    private static readonly char[] s_separators = ['-', '_', '.', ' '];

    /// <summary>Gets the projector of a model: the one in the options, or one beside the model.</summary>
    /// <param name="model">The path of the model.</param>
    /// <param name="options">The options of the model.</param>
    /// <param name="embeddingLength">The number of values in an embedding of the model.</param>
    /// <param name="logger">The logger.</param>
    /// <returns>The path, or <see langword="null"/> if there is no projector.</returns>
    /// <exception cref="ModelLoadException">The projector in the options is not valid.</exception>
    public static string? Find(string model, ModelOptions options, long embeddingLength, ILogger logger)
    {
        if (options.ProjectorPath is { } path)
        {
            ProjectorCheck.Validate(GgufFile.Open(path));
            return path;
        }

        return options.FindProjector ? FindBeside(model, embeddingLength, logger) : null;
    }

    // A projector of another model with embeddings of the same length would load, and the model would misunderstand every image.
    private static string? FindBeside(string model, long embeddingLength, ILogger logger)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(model))!;
        string[] files = ListFiles(directory);
        string[] words = WordsOf(model);
        bool isAlone = files.Where(path => !IsNamedProjector(path)).All(path => WordsOf(path).SequenceEqual(words, StringComparer.OrdinalIgnoreCase));
        var fitting = new List<string>();
        foreach (string path in files.Where(IsNamedProjector))
        {
            string[] own = WordsOf(path);
            string? reason = own.Length == 0 && !isAlone ? "its name does not say which of the models in its directory it belongs to"
                : own.Except(words, StringComparer.OrdinalIgnoreCase).Any() ? "its name is that of another model"
                : Examine(path, embeddingLength);
            if (reason is null)
            {
                fitting.Add(path);
            }
            else
            {
                ModelLog.ProjectorIgnored(logger, path, model, reason);
            }
        }

        return fitting.OrderByDescending(path => WordsOf(path).Length).ThenBy(Rank).ThenBy(path => path, StringComparer.Ordinal).FirstOrDefault();
    }

    private static string? Examine(string path, long embeddingLength)
    {
        try
        {
            GgufFile file = GgufFile.Open(path);
            ProjectorCheck.Validate(file);
            long width = ProjectorCheck.WidthOf(file);
            return width == embeddingLength ? null : $"its embeddings have {width} values instead of {embeddingLength}";
        }
        catch (Exception error) when (error is MoeOffloadException or IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    private static string[] ListFiles(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory, "*.gguf").Take(MostFiles).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsNamedProjector(string path) => Path.GetFileName(path).Contains("mmproj", StringComparison.OrdinalIgnoreCase);

    // The words of a name that say which model it is, and not how it is quantized or divided.
    private static string[] WordsOf(string path) =>
    [
        .. Path.GetFileNameWithoutExtension(path).Split(s_separators, StringSplitOptions.RemoveEmptyEntries).Where(word => !Quantization().IsMatch(word)),
    ];

    private static int Rank(string path)
    {
        string name = Path.GetFileName(path).ToUpperInvariant();
        return name.Contains("BF16", StringComparison.Ordinal) ? 1
            : name.Contains("F16", StringComparison.Ordinal) ? 0
            : name.Contains("F32", StringComparison.Ordinal) ? 3
            : 2;
    }

    [GeneratedRegex("^(mmproj|model|gguf|ud|i?q[0-9].*|tq[0-9].*|b?f(16|32)|fp(8|16|32)|mxfp4.*|nvfp4.*|[kmslx]|x+[sl]|[0-9]|[0-9]{5}|of)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Quantization();
}

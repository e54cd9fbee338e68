namespace MoeOffload.Catalog;

/// <summary>Represents a repository at a commit.</summary>
/// <param name="Commit">The hash of the commit.</param>
/// <param name="Files">The GGUF files in the repository.</param>
internal sealed record HubRevision(string Commit, IReadOnlyList<HubFile> Files)
{
    private const string PreferredQuantization = "Q4_K_M";

    /// <summary>Selects a model of the repository.</summary>
    /// <param name="reference">The requested model.</param>
    /// <param name="parts">The files of the model, in order.</param>
    /// <exception cref="ModelNotFoundException">No model or several models match; the message lists them.</exception>
    /// <exception cref="ModelPullException">A file of a split model is missing.</exception>
    public FoundModel Choose(ModelReference reference, out IReadOnlyList<HubFile> parts)
    {
        FoundModel[] models = [.. Models()];
        FoundModel chosen = reference.Variant is { } variant ? Named(reference, variant, models) : Preferred(reference, models);
        parts = PartsOf(chosen);
        return chosen with { Bytes = parts.Sum(part => part.Bytes) };
    }

    private static FoundModel Named(ModelReference reference, string variant, FoundModel[] models)
    {
        foreach (Func<FoundModel, bool> matches in new Func<FoundModel, bool>[]
        {
            model => string.Equals(model.Quantization, variant, StringComparison.OrdinalIgnoreCase),
            model => model.FileNames.Append(model.RelativeStem).Append(model.Path).Contains(variant, StringComparer.OrdinalIgnoreCase),
            model => model.FileName.Stem.Contains(variant, StringComparison.OrdinalIgnoreCase),
        })
        {
            FoundModel[] found = [.. models.Where(matches)];
            if (found.Length > 0)
            {
                return found.Length == 1 ? found[0] : throw Unclear(reference, $"has {found.Length} models that '{variant}' could mean", found);
            }
        }

        throw Unclear(reference, $"has no '{variant}'", models);
    }

    private static FoundModel Preferred(ModelReference reference, FoundModel[] models)
    {
        FoundModel[] preferred = [.. models.Where(model => model.Quantization == PreferredQuantization)];
        return preferred.Length == 1 ? preferred[0]
            : models.Length == 1 ? models[0]
            : throw Unclear(reference, models.Length == 0 ? "has no GGUF model" : $"has {models.Length} models, and not one {PreferredQuantization}", models);
    }

    private static ModelNotFoundException Unclear(ModelReference reference, string what, FoundModel[] models)
    {
        string known = string.Join(", ", models.Select(model => model.Quantization ?? model.FileName.Stem).Distinct().Order(StringComparer.Ordinal));
        string remedy = models.Length == 0
            ? "Look for a repository with .gguf files; their names often end with -GGUF."
            : $"Write {reference.Repository}:VARIANT with one of: {known}, or a file's name.";
        return new ModelNotFoundException($"{reference.Repository} {what}. {remedy}");
    }

    private IEnumerable<FoundModel> Models()
    {
        foreach (HubFile file in Files.OrderBy(file => file.Path, StringComparer.Ordinal))
        {
            int directory = file.Path.LastIndexOf('/') + 1;
            if (GgufFileName.TryParse(file.Path[directory..], out GgufFileName name) && name.Part == 1 && !name.IsProjector)
            {
                yield return new FoundModel(file.Path, file.Path[..directory] + name.Stem, name, file.Bytes);
            }
        }
    }

    private HubFile[] PartsOf(FoundModel model)
    {
        int count = model.FileName.PartCount;
        return count == 1
            ? [Files.Single(file => file.Path == model.Path)]
            : [.. Enumerable.Range(0, count).Select(index => Part(MoeOffload.Gguf.GgufSplit.GetPath(model.RelativeStem, index, count)))];
    }

    private HubFile Part(string path) => Files.FirstOrDefault(file => file.Path == path)
        ?? throw new ModelPullException($"The repository does not have '{path}', which is a part of the requested split model. Choose another quantization, or tell the publisher.");
}

namespace MoeOffload.Cli.Options;

/// <summary>Represents a loaded model with its context, and what was loaded with them: LoRA adapters and a model that drafts tokens.</summary>
/// <param name="model">The model.</param>
/// <param name="companions">The adapters and the draft model.</param>
internal sealed class OpenModel(MoeModel model, IReadOnlyList<IDisposable> companions) : IDisposable
{
    private GenerationSession? _session;

    public MoeModel Model => model;

    /// <summary>Gets the session, after it was created.</summary>
    public GenerationSession Session
    {
        get => _session!;
        init => _session = value;
    }

    public void Dispose()
    {
        _session?.Dispose();
        foreach (IDisposable companion in companions)
        {
            companion.Dispose();
        }

        model.Dispose();
    }
}

using MoeOffload.Shared;

namespace MoeOffload.Cli.Options;

/// <summary>Represents a loaded model with its context, and what was loaded with them.</summary>
/// <param name="Model">The model.</param>
/// <param name="Companions">The LoRA adapters and the model that drafts tokens.</param>
/// <param name="Session">The session.</param>
internal sealed record OpenModel(MoeModel Model, LoadedCompanions Companions, GenerationSession Session) : IDisposable
{
    public void Dispose()
    {
        Session.Dispose();
        Companions.Dispose();
        Model.Dispose();
    }
}

namespace MoeOffload.Native;

/// <summary>Observes which experts the routers choose for each token, on the thread that computes. Methods do not throw.</summary>
internal interface IExpertObserver
{
    /// <summary>Receives what the router of a layer chose in a micro-batch.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">The number of tokens.</param>
    /// <param name="used">The number of experts that were chosen for a token.</param>
    /// <param name="stride">The distance between the beginnings of two rows, in values.</param>
    /// <param name="experts">The rows, valid during the call. The last one ends after its experts.</param>
    void OnChoices(int layer, int rows, int used, int stride, ReadOnlySpan<int> experts);

    /// <summary>Receives the end of a computation.</summary>
    /// <param name="tokens">The number of tokens in its batch.</param>
    /// <param name="outputs">The number of tokens whose logits were computed.</param>
    /// <param name="isComplete"><see langword="false"/> if it was stopped or failed.</param>
    void OnStep(int tokens, int outputs, bool isComplete);
}

namespace MoeOffload.Measurement.Benches;

/// <summary>Starts the servers that a bench measures, so that it measures what users run.</summary>
internal interface IModelServing
{
    /// <summary>Gets the context of a server that was not told otherwise.</summary>
    ContextOptions UsualContext { get; }

    /// <summary>Starts a server on loopback and loads a model in it.</summary>
    /// <param name="path">The model's file; of a split model, its first part.</param>
    /// <param name="load">How the model is loaded.</param>
    /// <param name="context">The context.</param>
    /// <param name="cancellationToken">Cancels the load.</param>
    /// <exception cref="Loading.LoadFailedException">The model cannot be loaded.</exception>
    Task<IServedModel> StartAsync(string path, ModelOptions load, ContextOptions context, CancellationToken cancellationToken);
}

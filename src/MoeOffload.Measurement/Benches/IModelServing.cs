namespace MoeOffload.Measurement.Benches;

/// <summary>Starts the servers that a benchmark measures. They are the same servers that users run.</summary>
internal interface IModelServing
{
    /// <summary>Gets the default context options of a server.</summary>
    ContextOptions UsualContext { get; }

    /// <summary>Starts a server on loopback and loads a model in it.</summary>
    /// <param name="path">The path of the model's file, or of its first part if the model is split.</param>
    /// <param name="load">How the model is loaded.</param>
    /// <param name="context">The context.</param>
    /// <param name="cancellationToken">Cancels the load.</param>
    /// <exception cref="Loading.LoadFailedException">The model cannot be loaded.</exception>
    Task<IServedModel> StartAsync(string path, ModelOptions load, ContextOptions context, CancellationToken cancellationToken);
}

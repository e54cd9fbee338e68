namespace MoeOffload.Measurement.Loading;

/// <summary>Runs the steps of loading a model, and turns their errors into <see cref="LoadFailedException"/>.</summary>
internal static class ModelLoading
{
    /// <summary>Runs a step of loading.</summary>
    /// <param name="step">The step.</param>
    /// <exception cref="LoadFailedException">The step failed.</exception>
    public static T Run<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Exception error) when (IsLoadFailure(error))
        {
            throw new LoadFailedException(error);
        }
    }

    /// <inheritdoc cref="Run"/>
    public static async Task<T> RunAsync<T>(Func<Task<T>> step)
    {
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (Exception error) when (IsLoadFailure(error))
        {
            throw new LoadFailedException(error);
        }
    }

    private static bool IsLoadFailure(Exception error) =>
        error is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;
}

using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Loads and unloads models for Ollama's clients: a request without a prompt loads a model, and <c>keep_alive: 0</c> unloads it.</summary>
internal static class OllamaLoading
{
    /// <summary>Loads or unloads the model of a request without a prompt.</summary>
    /// <returns>The <c>done_reason</c> of the answer.</returns>
    public static async Task<string> LoadOnlyAsync(ApiRequest request, OllamaSettings settings)
    {
        if (settings.UnloadAfter)
        {
            await request.UnloadAsync(NameOf(request, settings)).ConfigureAwait(false);
            return "unload";
        }

        (await request.AcquireAsync(settings.Model).ConfigureAwait(false)).Dispose();
        return "load";
    }

    /// <summary>Unloads the model after an answer, unless other requests use it.</summary>
    public static async Task UnloadAfterAsync(ApiRequest request, OllamaSettings settings)
    {
        if (!settings.UnloadAfter)
        {
            return;
        }

        try
        {
            await request.UnloadAsync(NameOf(request, settings)).ConfigureAwait(false);
        }
        catch (ModelInUseException)
        {
            // Other requests use the model, so it stays loaded.
        }
    }

    private static string NameOf(ApiRequest request, OllamaSettings settings) =>
        request.Model ?? settings.Model ?? request.Options.DefaultModel ?? throw ApiException.Missing("model");
}

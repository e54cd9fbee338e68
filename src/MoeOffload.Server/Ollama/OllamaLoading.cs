namespace MoeOffload.Server.Ollama;

/// <summary>Loads and unloads models when Ollama's clients ask for it: a request without a prompt loads, <c>keep_alive: 0</c> unloads.</summary>
internal static class OllamaLoading
{
    /// <summary>Does what a request without a prompt asks for.</summary>
    /// <returns>The reason that its answer gives.</returns>
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

    /// <summary>Unloads the model of an answer that was given, unless others use it.</summary>
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
            // Others use it: it stays for them.
        }
    }

    private static string NameOf(ApiRequest request, OllamaSettings settings) =>
        request.Model ?? settings.Model ?? request.Options.DefaultModel ?? throw ApiException.Missing("model");
}

using System.Threading.Channels;
using MoeOffload.Catalog;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Handles Ollama's <c>/api/copy</c>, <c>/api/delete</c> and <c>/api/pull</c>, which change the models of the server.</summary>
internal static class ManageEndpoints
{
    public static async Task CopyAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string source = body.RequiredText("source");
        string destination = body.RequiredText("destination");
        request.EndReading();
        CheckAllowed(request);
        request.Models.AddAlias(destination, request.FindModel(source).Name);
    }

    public static async Task DeleteAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string name = body.Text("model") ?? body.Text("name") ?? throw body.Missing("model");
        request.EndReading();
        CheckAllowed(request);
        if (!request.Models.RemoveAlias(name))
        {
            CatalogEntry entry = request.FindModel(name);
            throw ApiException.Invalid($"The server deletes only names that /api/copy has created. '{entry.Name}' is a file: delete it in the file system.", "model", "unsupported");
        }
    }

    public static async Task PullAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string name = body.Text("model") ?? body.Text("name") ?? throw body.Missing("model");
        bool isStreamed = body.Flag("stream") ?? true;
        body.Ignore("insecure", "username", "password");
        request.EndReading();
        CheckAllowed(request);
        if (!ModelReference.TryParse(name, out ModelReference? reference))
        {
            throw ApiException.Invalid(
                "'model' is not a model on Hugging Face, and this server does not use Ollama's library. Write ORG/REPO or ORG/REPO:QUANT, such as ggml-org/gpt-oss-20b-GGUF:MXFP4.", "model");
        }

        using var pull = new ModelPull();
        if (isStreamed)
        {
            await StreamAsync(request, pull, reference).ConfigureAwait(false);
        }
        else
        {
            await pull.PullAsync(reference, null, request.Cancellation).ConfigureAwait(false);
            await request.WriteJsonAsync(new PullAnswer("success"), OllamaJson.Default.PullAnswer).ConfigureAwait(false);
        }
    }

    private static async Task StreamAsync(ApiRequest request, ModelPull pull, ModelReference reference)
    {
        JsonLinesWriter lines = request.MakeLines();
        var states = Channel.CreateUnbounded<PullProgress>();
        Task<CatalogEntry> pulling = pull.PullAsync(reference, new Reporter(states.Writer), request.Cancellation);
        _ = pulling.ContinueWith(_ => states.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await foreach (PullProgress state in lines.GatherAsync(states.Reader.ReadAllAsync(CancellationToken.None)).ConfigureAwait(false))
        {
            PullAnswer answer = state.BytesTotal > 0
                ? new PullAnswer($"pulling {Path.GetFileName(state.File)}", state.File, state.BytesTotal, state.BytesDone)
                : new PullAnswer("pulling manifest");
            await lines.SendAsync(answer, OllamaJson.Default.PullAnswer).ConfigureAwait(false);
        }

        await pulling.ConfigureAwait(false);
        await lines.SendAsync(new PullAnswer("success"), OllamaJson.Default.PullAnswer).ConfigureAwait(false);
    }

    private static void CheckAllowed(ApiRequest request)
    {
        if (!request.Models.Options.AllowChanges)
        {
            throw new ApiException(
                403, "permission_error", "changes_not_allowed", "Clients may not change the models of this server. Start it with --allow-model-changes, or set Models.AllowChanges.");
        }
    }

    private sealed class Reporter(ChannelWriter<PullProgress> states) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => states.TryWrite(value);
    }
}

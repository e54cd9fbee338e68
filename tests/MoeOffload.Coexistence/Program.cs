using System.Text.Json;
using Microsoft.Extensions.Logging;
using MoeOffload;
using MoeOffload.Coexistence;
using MoeOffload.Native.Generated;

// Two copies of llama.cpp in one process, upstream's loaded first; writes a CoexistenceReport as JSON.
// Arguments: local or global (how upstream is loaded), its folder, a model.
const string Prompt = "Two of the same name live in one house";
const int Tokens = 16;

string model = args[2];
var upstream = new Upstream(args[1], args[0] == "global");
using var ours = new LineCounter();
using ILoggerFactory loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(ours));

List<int[]> turns = [];
List<int> upstreamLines = [];
List<int> ourLines = [];
List<int> upstreamBackends = [];
for (int round = 0; round < 2; round++)
{
    await TakeTurnAsync(() => Task.FromResult(upstream.Generate(model, Prompt, Tokens)));
    await TakeTurnAsync(GenerateAsync);
}

Console.Write(JsonSerializer.Serialize(new CoexistenceReport
{
    Turns = [.. turns],
    UpstreamLines = [.. upstreamLines],
    OurLines = [.. ourLines],
    UpstreamBackends = [.. upstreamBackends],
    OurBackends = (int)GgmlBackendApi.ggml_backend_reg_count(),
    Libraries = [.. File.ReadLines("/proc/self/maps").Select(line => Path.GetFileName(line)).Where(name => name.Contains(".so", StringComparison.Ordinal)).Distinct()],
}));

async Task TakeTurnAsync(Func<Task<int[]>> turn)
{
    (int upstreamBefore, int oursBefore) = (Upstream.LineCount, ours.Count);
    turns.Add(await turn());
    upstreamLines.Add(Upstream.LineCount - upstreamBefore);
    ourLines.Add(ours.Count - oursBefore);
    upstreamBackends.Add(upstream.BackendCount);
}

async Task<int[]> GenerateAsync()
{
    using MoeModel loaded = await MoeModel.LoadAsync(model, new ModelOptions { LoggerFactory = loggers });
    using GenerationSession session = loaded.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1, Prompt = 1 } });
    List<int> ids = [];
    await foreach (GeneratedToken token in session.GenerateAsync(Prompt, SamplingOptions.Greedy, Tokens))
    {
        ids.Add(token.Id);
    }

    return [.. ids];
}

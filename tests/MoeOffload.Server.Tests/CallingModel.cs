using MoeOffload.Fixtures;

namespace MoeOffload.Server.Tests;

/// <summary>A server with a model of random weights that calls the tools it is shown: a bias makes the token that begins calls the likely one.</summary>
internal static class CallingModel
{
    private const string BeginOfCalls = "[TOOL_CALLS]";

    public static async Task<TestServer> StartAsync()
    {
        // The model writes the ids of its calls itself, and random weights write others than the nine characters that the template insists on.
        string template = RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407").Replace("length != 9", "length == 0", StringComparison.Ordinal);
        string path = RealTemplates.Write(template, TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2, Walks = false }), null, BeginOfCalls);
        using MoeModel model = await MoeModel.LoadAsync(path);
        int begin = model.Vocabulary.Tokenize(BeginOfCalls, addSpecial: false, parseSpecial: true).Single();
        return await TestServer.StartAsync(
            options =>
            {
                options.Models.Context = options.Models.Context with { ContextLength = 2048 };
                options.Requests.Sampling = new SamplingOptions { Seed = 1, LogitBias = new Dictionary<int, float> { [begin] = 50 } };
            },
            path);
    }
}

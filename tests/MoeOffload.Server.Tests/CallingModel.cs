using MoeOffload.Fixtures;

namespace MoeOffload.Server.Tests;

/// <summary>
/// A server with a model of random weights that calls the tools it is shown: a bias makes the token that begins calls the likely one, and
/// others those that end the call as soon as its grammar allows. So no processor's rounding decides how long a call gets.
/// </summary>
internal static class CallingModel
{
    private const string BeginOfCalls = "[TOOL_CALLS]";

    public static async Task<TestServer> StartAsync()
    {
        // The ids of calls come from the server here, and are not the nine characters that the template insists on.
        string template = RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407").Replace("length != 9", "length == 0", StringComparison.Ordinal);
        string path = RealTemplates.Write(template, TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }), null, BeginOfCalls);
        using MoeModel model = await MoeModel.LoadAsync(path);
        Dictionary<int, float> bias = new (string Text, float Bias)[] { (BeginOfCalls, 50), ("}", 40), ("]", 40), ("\"", 30) }
            .ToDictionary(item => model.Vocabulary.Tokenize(item.Text, addSpecial: false, parseSpecial: true).Single(), item => item.Bias);
        return await TestServer.StartAsync(
            options =>
            {
                options.Models.Context = options.Models.Context with { ContextLength = 2048 };
                options.Requests.Sampling = new SamplingOptions { Seed = 1, LogitBias = bias };
            },
            path);
    }
}

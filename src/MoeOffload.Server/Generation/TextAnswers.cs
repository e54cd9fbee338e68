using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Represents continuations of texts.</summary>
internal sealed class TextAnswers : Answers<TokenStream, GeneratedToken>
{
    private readonly List<string> _prompts = [];

    private TextAnswers(ApiRequest request, ModelLease lease)
        : base(request, lease)
    {
    }

    /// <summary>Acquires a model and starts continuations.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The name of the model, or <see langword="null"/> to use the default model.</param>
    /// <param name="generation">The function that returns the request of each continuation, without the time limit. It can use the model.</param>
    /// <param name="count">The number of continuations.</param>
    /// <param name="cancellation">A token to cancel the continuations, or <see langword="null"/> to use that of the request.</param>
    /// <exception cref="ApiException">There is no model with this name, or the request is not valid for it.</exception>
    public static async Task<TextAnswers> StartAsync(
        ApiRequest request, string? model, Func<MoeModel, int, GenerationRequest> generation, int count = 1, CancellationToken? cancellation = null)
    {
        var answers = new TextAnswers(request, await AcquireAsync(request, model).ConfigureAwait(false));
        await answers.StartAsync(count, Start).ConfigureAwait(false);
        return answers;

        TokenStream Start(GenerationSession session, int index)
        {
            GenerationRequest own = generation(answers.Model, index) with { Deadline = request.TimeLeft };
            answers._prompts.Add(own.Prompt);
            return answers.Shifting(full => session.GenerateAsync(own with { ContextFull = full }, cancellation ?? request.Cancellation));
        }
    }

    /// <summary>Logs an answer if the options enable logging.</summary>
    public void Log(string text) => Request.LogText("Answer", text);

    protected override Task StartAsync(TokenStream stream) => stream.StartAsync();

    protected override int PromptTokensOf(TokenStream stream) => stream.PromptTokenCount;

    protected override string? PromptOf(int index) => _prompts[index];

    protected override GenerationStatistics? StatisticsOf(TokenStream stream) => stream.Statistics;
}

namespace MoeOffload.Server;

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
    /// <param name="model">The model's name; null for the default one.</param>
    /// <param name="generation">Gives what each is generated from, without the time limit; it may need the model.</param>
    /// <param name="count">How many continuations.</param>
    /// <param name="cancellation">Ends them; null takes the request's own.</param>
    /// <exception cref="ApiException">There is no such model, or the request is not valid for it.</exception>
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
            return session.GenerateAsync(own, cancellation ?? request.Cancellation);
        }
    }

    /// <summary>Logs an answer, if the options ask for it.</summary>
    public void Log(string text) => Request.LogText("Answer", text);

    protected override Task StartAsync(TokenStream stream) => stream.StartAsync();

    protected override int PromptTokensOf(TokenStream stream) => stream.PromptTokenCount;

    protected override string? PromptOf(int index) => _prompts[index];

    protected override GenerationStatistics? StatisticsOf(TokenStream stream) => stream.Statistics;
}

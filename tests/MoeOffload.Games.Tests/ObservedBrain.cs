using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MoeOffload.Chat;

namespace MoeOffload.Games.Tests;

/// <summary>A model's brain whose prompts can be looked at, and whose answers can be held back.</summary>
internal sealed class ObservedBrain(GenerationSession session) : ICharacterBrain
{
    private readonly LocalBrain _brain = new(session);
    private TaskCompletionSource _gate = Opened();

    public ConcurrentQueue<IReadOnlyList<ChatMessage>> Prompts { get; } = new();

    public int? ContextLength => _brain.ContextLength;

    public int ParallelAnswers => _brain.ParallelAnswers;

    /// <summary>Holds back the answers that begin from now on.</summary>
    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.TrySetResult();

    public Task<int> CountTokensAsync(string text, CancellationToken cancellationToken = default) => _brain.CountTokensAsync(text, cancellationToken);

    public Task WarmUpAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default) =>
        _brain.WarmUpAsync(messages, options, cancellationToken);

    public async IAsyncEnumerable<ChatUpdate> AnswerAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Prompts.Enqueue(messages);
        await _gate.Task.WaitAsync(cancellationToken);
        await foreach (ChatUpdate update in _brain.AnswerAsync(messages, options, cancellationToken))
        {
            yield return update;
        }
    }

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}

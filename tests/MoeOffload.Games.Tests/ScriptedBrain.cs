using System.Collections.Concurrent;
using MoeOffload.Chat;

namespace MoeOffload.Games.Tests;

/// <summary>A brain without a model, as a game could have for a character that always does the same: it has its answers in advance.</summary>
internal sealed class ScriptedBrain(params ChatMessage[] answers) : ICharacterBrain
{
    private readonly ConcurrentQueue<ChatMessage> _answers = new(answers);

    public ConcurrentQueue<(IReadOnlyList<ChatMessage> Messages, ChatOptions Options)> Prompts { get; } = new();

    public int? ContextLength => null;

    public int ParallelAnswers => 2;

    /// <summary>An answer that calls an action.</summary>
    public static ChatMessage Call(string name, string arguments) =>
        ChatMessage.Assistant(string.Empty) with { ToolCalls = [new ToolCall { Id = "call00001", Name = name, Arguments = arguments }] };

    public Task<int> CountTokensAsync(string text, CancellationToken cancellationToken = default) => Task.FromResult(text.Length);

    public Task WarmUpAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public async IAsyncEnumerable<ChatUpdate> AnswerAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        Prompts.Enqueue((messages, options));
        ChatMessage answer = _answers.TryDequeue(out ChatMessage? next) ? next : ChatMessage.Assistant("So be it.");
        yield return new ChatUpdate { Content = answer.Content };
        yield return new ChatUpdate { Message = answer, FinishReason = ChatFinishReason.Stop };
    }
}

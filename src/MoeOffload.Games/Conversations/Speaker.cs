using System.Diagnostics;
using MoeOffload.Chat;
using MoeOffload.Games.Actions;

namespace MoeOffload.Games.Conversations;

/// <summary>Answers for a character, on threads of the thread pool.</summary>
/// <param name="brain">Generates the answers.</param>
/// <param name="queue">Limits how many characters speak at the same time.</param>
/// <param name="texts">The texts that are added to the history.</param>
internal sealed class Speaker(ICharacterBrain brain, SpeakerQueue queue, CharacterTexts texts)
{
    private const int DefaultHistoryTokens = 4096;
    private const int TokensAroundSystem = 32;

    // Small models write many spaces between the arguments of an action.
    private const int LeastActionTokens = 256;

    /// <summary>Answers what was said. The returned task completes when the answer has ended, and never fails: the answer has the failure.</summary>
    /// <param name="answer">Receives the words, the actions and the end.</param>
    /// <param name="character">The character, as it is when it is this one's turn.</param>
    public async Task AnswerAsync(Answer answer, ISpeaker character)
    {
        long start = Stopwatch.GetTimestamp();
        using var timeLimit = CancellationTokenSource.CreateLinkedTokenSource(answer.Interrupted);
        try
        {
            if (character.Deadline is { } deadline)
            {
                timeLimit.CancelAfter(deadline);
            }

            for (int round = 0; ; round++)
            {
                bool mayAct = round < character.MaxActions;
                ToolChoice choice = round == 0 ? answer.Choice : mayAct ? ToolChoice.Auto : ToolChoice.None;
                if (await GenerateAsync(answer, character, choice, start, timeLimit.Token).ConfigureAwait(false) is not { } message)
                {
                    answer.EndEarly();
                    return;
                }

                // A server may let the model act although it must not.
                answer.Add(mayAct ? message : message with { ToolCalls = [] });
                if (!mayAct || message.ToolCalls.Count == 0)
                {
                    answer.Complete();
                    return;
                }

                await ActAsync(answer, character, message).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (timeLimit.IsCancellationRequested)
        {
            answer.EndEarly();
        }
        catch (Exception failure)
        {
            // Nobody awaits this method. The game's next frame gets the exception.
            answer.EndEarly(failure);
        }
    }

    /// <summary>Computes the beginning of a character's prompts.</summary>
    public async Task WarmUpAsync(ISpeaker character, CancellationToken cancellationToken)
    {
        await queue.EnterAsync(() => character.Priority, cancellationToken).ConfigureAwait(false);
        try
        {
            await brain.WarmUpAsync(ToMessages(character.SystemText), character.MakeOptions(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            queue.Leave();
        }
    }

    // Returns null if the answer was cut off.
    private async Task<ChatMessage?> GenerateAsync(Answer answer, ISpeaker character, ToolChoice choice, long start, CancellationToken cancellationToken)
    {
        answer.State = CharacterState.Waiting;
        await queue.EnterAsync(() => character.Priority, cancellationToken).ConfigureAwait(false);
        try
        {
            answer.State = CharacterState.Thinking;
            ChatOptions options = character.MakeOptions() with { ToolChoice = choice, Deadline = Rest(character.Deadline, start) };
            if (choice != ToolChoice.Auto && choice != ToolChoice.None)
            {
                options = options with { MaxTokens = Math.Max(options.MaxTokens ?? 0, LeastActionTokens) };
            }

            List<ChatMessage> prompt = await MakePromptAsync(answer, character, options, cancellationToken).ConfigureAwait(false);
            ChatUpdate? last = null;

            // The brain ends an answer at its deadline by itself, and returns what it has of it.
            IAsyncEnumerable<ChatUpdate> updates = brain.AnswerAsync(prompt, options, answer.Interrupted);
            await foreach (ChatUpdate update in updates.ConfigureAwait(false))
            {
                if (update.Content.Length > 0)
                {
                    answer.Say(update.Content);
                }

                last = update.Message is null ? last : update;
            }

            character.SetStatistics(last?.Statistics);
            return last is { FinishReason: not ChatFinishReason.Length } ? last.Message : null;
        }
        finally
        {
            queue.Leave();
        }
    }

    private async Task ActAsync(Answer answer, ISpeaker character, ChatMessage message)
    {
        foreach (ToolCall call in message.ToolCalls)
        {
            answer.AddResult(call, await RunAsync(answer, character, call).ConfigureAwait(false));
        }
    }

    private async Task<string> RunAsync(Answer answer, ISpeaker character, ToolCall call)
    {
        ActionRequest request;
        try
        {
            request = character.Actions.Prepare(call, texts);
        }
        catch (FormatException error)
        {
            return $"{texts.NotPossible} {error.Message}";
        }

        return await answer.RunInFrameAsync(request).ConfigureAwait(false);
    }

    private async Task<List<ChatMessage>> MakePromptAsync(Answer answer, ISpeaker character, ChatOptions options, CancellationToken cancellationToken)
    {
        ChatMessage[] current = answer.CopyMessages();
        string system = character.SystemText;
        int now = await new ConversationTurn(current, isInterrupted: false).CountTokensAsync(brain, cancellationToken).ConfigureAwait(false);
        int budget = character.HistoryTokens ?? (brain.ContextLength is null ? DefaultHistoryTokens : int.MaxValue);
        if (brain.ContextLength is { } length)
        {
            string fixedText = system + string.Concat(options.Tools.Select(tool => tool.Name + tool.Description + tool.Parameters));
            int around = await brain.CountTokensAsync(fixedText, cancellationToken).ConfigureAwait(false) + TokensAroundSystem;
            budget = Math.Min(budget, length - around - (options.MaxTokens ?? 0));
        }

        List<ChatMessage> prompt = ToMessages(system);
        foreach (ConversationTurn turn in await character.History.FitAsync(Math.Max(0, budget - now), brain, cancellationToken).ConfigureAwait(false))
        {
            turn.AddTo(prompt, texts.Interrupted);
        }

        prompt.AddRange(current);
        return prompt;
    }

    private static List<ChatMessage> ToMessages(string system) => system.Length > 0 ? [ChatMessage.System(system)] : [];

    private static TimeSpan? Rest(TimeSpan? deadline, long start)
    {
        if (deadline is not { } limit)
        {
            return null;
        }

        TimeSpan rest = limit - Stopwatch.GetElapsedTime(start);
        return rest > TimeSpan.Zero ? rest : TimeSpan.FromTicks(1);
    }
}

using System.Text;
using MoeOffload;
using MoeOffload.Chat;

namespace MoeCharacter;

/// <summary>A character that talks. None of its members waits for the model.</summary>
internal sealed class Character(GenerationSession session, string persona) : IDisposable
{
    private const int MaxTokens = 80;

    private readonly List<ChatMessage> _history = [ChatMessage.System(persona)];
    private readonly StringBuilder _words = new();
    private ChatStream? _answer;

    /// <summary>Gets whether the character is thinking or talking.</summary>
    public bool IsSpeaking => _answer is not null;

    /// <summary>Lets the character talk once before the game starts: code is compiled, and the persona is computed, which stays in the cache.</summary>
    public async Task WarmUpAsync()
    {
        Ask("Hello.");
        while (IsSpeaking)
        {
            Update();
            await Task.Delay(TimeSpan.FromMilliseconds(1));
        }

        _history.RemoveRange(1, _history.Count - 1);
    }

    /// <summary>Says something to the character, whose answer arrives in the next frames.</summary>
    public void Ask(string line)
    {
        _history.Add(ChatMessage.User(line));
        _answer = session.ChatAsync([.. _history], new ChatOptions { MaxTokens = MaxTokens, Reasoning = false });
    }

    /// <summary>Gets what the character has said since the last frame.</summary>
    public string Update()
    {
        while (_answer is not null && _answer.TryRead(out ChatUpdate update))
        {
            _words.Append(update.Content);
            if (update.Message is { } message)
            {
                _history.Add(message);
                _answer.Dispose();
                _answer = null;
            }
        }

        if (_words.Length == 0)
        {
            return string.Empty;
        }

        string words = _words.ToString();
        _words.Clear();
        return words;
    }

    /// <inheritdoc/>
    public void Dispose() => _answer?.Dispose();
}

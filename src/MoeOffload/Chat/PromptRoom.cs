using System.Text;
using MoeOffload.Native;

namespace MoeOffload.Chat;

/// <summary>Represents the room that a session has for the prompt of a chat.</summary>
/// <param name="sequenceLength">The maximum number of tokens in a sequence.</param>
/// <param name="vocabulary">The vocabulary of the model.</param>
/// <param name="tokenizeWithImages">Returns the tokens of a prompt with images.</param>
internal sealed class PromptRoom(int sequenceLength, NativeVocabulary vocabulary, Func<GenerationRequest, int[]> tokenizeWithImages)
{
    // The part of a sequence that is left for the answer.
    private const int AnswerPart = 4;

    // No tokenizer returns more tokens than bytes, except for the special ones at both ends and a leading space.
    private const int TokensBeyondBytes = 8;

    /// <summary>Determines whether a prompt leaves room for an answer.</summary>
    /// <param name="chat">The chat with the prompt.</param>
    /// <param name="maxTokens">The maximum number of tokens in the answer, or <see langword="null"/>.</param>
    /// <param name="tokens">The tokens of the prompt, or <see langword="null"/> if it is so short that they were not needed.</param>
    public bool Holds(RenderedChat chat, int? maxTokens, out int[]? tokens)
    {
        string prompt = chat.Prompt;
        tokens = null;
        if (chat.Images.Count > 0)
        {
            tokens = tokenizeWithImages(new GenerationRequest { Prompt = prompt, Images = chat.Images });
            return tokens.Length <= RoomFor(maxTokens);
        }

        if (Encoding.UTF8.GetByteCount(prompt) + TokensBeyondBytes <= RoomFor(maxTokens))
        {
            return true;
        }

        tokens = vocabulary.Tokenize(Encoding.UTF8.GetBytes(prompt), addSpecial: true, parseSpecial: true);
        return tokens.Length <= RoomFor(maxTokens);
    }

    /// <summary>Gets the maximum number of tokens of a prompt that leaves room for an answer.</summary>
    /// <param name="maxTokens">The maximum number of tokens in the answer, or <see langword="null"/>.</param>
    public int RoomFor(int? maxTokens) => sequenceLength - Math.Min(maxTokens ?? int.MaxValue, sequenceLength / AnswerPart);

    /// <summary>Returns the number of tokens of a text.</summary>
    /// <param name="text">The text.</param>
    public int Measure(string text) =>
        text.Length == 0 ? 0 : vocabulary.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: false, parseSpecial: false).Length;
}

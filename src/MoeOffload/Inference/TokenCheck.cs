namespace MoeOffload.Inference;

/// <summary>Checks tokens that a caller passed. llama.cpp would read out of bounds for a token that is not in the vocabulary.</summary>
internal static class TokenCheck
{
    /// <summary>Copies a list of tokens, and checks the copy.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="vocabularySize">The number of tokens in the vocabulary.</param>
    /// <param name="parameterName">The name of the parameter or property that the caller set.</param>
    /// <exception cref="ArgumentException">A token is not in the vocabulary.</exception>
    public static int[] Copy(IReadOnlyList<int> tokens, int vocabularySize, string parameterName)
    {
        int[] copy = [.. tokens];
        int wrong = Array.FindIndex(copy, token => token < 0 || token >= vocabularySize);
        return wrong < 0
            ? copy
            : throw new ArgumentException(
                $"Token {copy[wrong]} at position {wrong} is not in the vocabulary of {vocabularySize} tokens.", parameterName);
    }
}

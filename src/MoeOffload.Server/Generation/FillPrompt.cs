using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Creates prompts with which a model fills in the middle of a text, from the tokens that its vocabulary has for that.</summary>
internal static class FillPrompt
{
    /// <summary>Creates a prompt.</summary>
    /// <param name="vocabulary">The vocabulary of the model.</param>
    /// <param name="prefix">The text before the middle.</param>
    /// <param name="suffix">The text after the middle.</param>
    /// <param name="parameter">The field that requests the middle.</param>
    /// <param name="files">Other files of the project, with their names.</param>
    /// <exception cref="ApiException">The model does not fill in.</exception>
    public static int[] Make(Vocabulary vocabulary, string prefix, string suffix, string parameter, IReadOnlyList<(string Name, string Text)>? files = null)
    {
        if (vocabulary is not { FillPrefix: { } before, FillSuffix: { } after, FillMiddle: { } middle })
        {
            throw ApiException.Invalid(
                $"'{parameter}' is not supported by this model: its vocabulary has no tokens for filling in the middle. Use a model for code completion.", parameter, "unsupported_model");
        }

        var tokens = new List<int>();
        if (vocabulary is { AddsBeginningOfSequence: true, BeginningOfSequence: { } beginning })
        {
            tokens.Add(beginning);
        }

        if (files is { Count: > 0 })
        {
            AddFiles(tokens, vocabulary, files);
        }

        tokens.Add(before);
        tokens.AddRange(Tokenize(vocabulary, prefix));
        tokens.Add(after);
        tokens.AddRange(Tokenize(vocabulary, suffix));
        tokens.Add(middle);
        return [.. tokens];
    }

    // As in llama.cpp's server.
    private static void AddFiles(List<int> tokens, Vocabulary vocabulary, IReadOnlyList<(string Name, string Text)> files)
    {
        if (vocabulary.FillRepository is { } repository)
        {
            tokens.Add(repository);
            tokens.AddRange(Tokenize(vocabulary, "myproject\n"));
        }

        foreach ((string name, string text) in files)
        {
            if (vocabulary.FillSeparator is { } separator)
            {
                tokens.Add(separator);
                tokens.AddRange(Tokenize(vocabulary, $"{name}\n"));
            }
            else
            {
                tokens.AddRange(Tokenize(vocabulary, "\n\n--- snippet ---\n\n"));
            }

            tokens.AddRange(Tokenize(vocabulary, text));
        }

        if (vocabulary.FillSeparator is { } last)
        {
            tokens.Add(last);
            tokens.AddRange(Tokenize(vocabulary, "filename\n"));
        }
    }

    private static int[] Tokenize(Vocabulary vocabulary, string text) => vocabulary.Tokenize(text, addSpecial: false, parseSpecial: false);
}

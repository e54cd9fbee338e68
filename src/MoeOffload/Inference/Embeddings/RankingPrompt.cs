using System.Text;
using System.Text.RegularExpressions;
using MoeOffload.Native;

namespace MoeOffload.Inference.Embeddings;

/// <summary>Creates the tokens of a query and a document, in the form that a reranking model was trained with, as in llama.cpp's server.</summary>
internal sealed partial class RankingPrompt(LoadedModel model)
{
    private const string TemplateKey = "tokenizer.chat_template.rerank";

    private readonly string? _template = model.Metadata.GetValueOrDefault(TemplateKey);

    /// <summary>Creates the tokens.</summary>
    public int[] Tokenize(string query, string document)
    {
        NativeVocabulary vocabulary = model.Native.Vocabulary;
        if (_template is not null)
        {
            string prompt = Placeholder().Replace(_template, match => match.Value == "{query}" ? query : document);
            return vocabulary.Tokenize(Encoding.UTF8.GetBytes(prompt), addSpecial: false, parseSpecial: true);
        }

        var tokens = new List<int>();
        int end = vocabulary.EndOfSequence < 0 ? vocabulary.Separator : vocabulary.EndOfSequence;
        Add(vocabulary.AddsBeginningOfSequence, vocabulary.BeginningOfSequence);
        tokens.AddRange(vocabulary.Tokenize(Encoding.UTF8.GetBytes(query), addSpecial: false, parseSpecial: false));
        Add(vocabulary.AddsEndOfSequence, end);
        Add(vocabulary.AddsSeparator, vocabulary.Separator);
        tokens.AddRange(vocabulary.Tokenize(Encoding.UTF8.GetBytes(document), addSpecial: false, parseSpecial: false));
        Add(vocabulary.AddsEndOfSequence, end);
        return [.. tokens];

        void Add(bool isWanted, int token)
        {
            if (isWanted && token >= 0)
            {
                tokens.Add(token);
            }
        }
    }

    [GeneratedRegex(@"\{(?:query|document)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}

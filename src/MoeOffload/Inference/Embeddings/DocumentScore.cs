namespace MoeOffload.Embeddings;

/// <summary>Represents the relevance of a document to a query.</summary>
/// <param name="Index">The index of the document in the list that was ranked.</param>
/// <param name="Score">The relevance. Its scale depends on the model: some return probabilities, and others unbounded numbers.</param>
/// <param name="TokenCount">The number of tokens of the query and the document, including special tokens.</param>
public readonly record struct DocumentScore(int Index, float Score, int TokenCount);

using TinyMoe.Model;
using TinyMoe.Tokenizer;
using TinyMoe.World;

namespace TinyMoe.Corpus;

/// <summary>Writes the files that the trainer reads.</summary>
internal static class Preparation
{
    private const int CorpusBytes = 24_000_000;
    private const int ValidationBytes = 250_000;
    private const ulong CorpusSeed = 1;
    private const ulong ValidationSeed = 2;

    // The second corpus is smaller, and its sums include the steps to the result.
    private const int WorkedBytes = 7_000_000;
    private const ulong WorkedSeed = 3;
    private const ulong WorkedValidationSeed = 4;

    public static void Run(string directory)
    {
        Directory.CreateDirectory(directory);
        List<Document> corpus = Write(CorpusSeed, CorpusBytes);
        File.WriteAllLines(Path.Combine(directory, "corpus.txt"), corpus.Select(document => document.Text));
        BpeTokenizer tokenizer = BpeTokenizer.Train(corpus);
        tokenizer.Write(Path.Combine(directory, BpeTokenizer.FileName));
        var shape = new ModelShape(tokenizer.Tokens.Count, tokenizer.End);
        shape.Write(directory);
        Pack(corpus, tokenizer, shape, Path.Combine(directory, "train.bin"));
        Pack(Write(ValidationSeed, ValidationBytes), tokenizer, shape, Path.Combine(directory, "valid.bin"));
        Pack(Write(WorkedSeed, WorkedBytes, worksSums: true), tokenizer, shape, Path.Combine(directory, "worked-train.bin"));
        Pack(Write(WorkedValidationSeed, ValidationBytes, worksSums: true), tokenizer, shape, Path.Combine(directory, "worked-valid.bin"));

        int words = corpus.SelectMany(document => document.Pieces).SelectMany(Template.Words).Where(word => char.IsLetter(word[0])).Select(word => word.ToLowerInvariant()).Distinct().Count();
        Console.WriteLine($"{corpus.Count} documents, {corpus.Sum(document => document.Length) / 1e6:0.0} MB, {words} different words, {tokenizer.Tokens.Count} tokens");
        foreach (IGrouping<TextKind, Document> kind in corpus.GroupBy(document => document.Kind).OrderBy(kind => kind.Key))
        {
            Console.WriteLine($"  {kind.Key}: {kind.Count()} documents, {kind.Sum(document => document.Length) / 1e6:0.0} MB");
        }
    }

    private static List<Document> Write(ulong seed, int bytes, bool worksSums = false)
    {
        var library = new Library(seed, worksSums);
        var documents = new List<Document>();
        for (int length = 0; length < bytes; length += documents[^1].Length)
        {
            documents.Add(library.Write());
        }

        return documents;
    }

    private static void Pack(List<Document> documents, BpeTokenizer tokenizer, ModelShape shape, string path)
    {
        using FileStream output = File.Create(path);
        var packer = new WindowPacker(output, shape.Context, tokenizer.End);
        long tokens = 0;
        foreach (Document document in documents)
        {
            (int Id, bool IsAnswer)[] encoded = [.. tokenizer.EncodeMarked(document)];
            tokens += encoded.Length + 1;
            packer.Add(encoded);
        }

        packer.Finish();
        Console.WriteLine($"{Path.GetFileName(path)}: {tokens} tokens in {packer.Count} windows, {(double)tokens / packer.Count / shape.Context:p1} full");
    }
}

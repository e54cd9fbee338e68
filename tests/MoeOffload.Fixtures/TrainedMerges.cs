using TinyMoe.Tokenizer;

namespace MoeOffload.Fixtures;

/// <summary>
/// Byte-pair merges trained on a few lines of English (Sennrich et al. 2016, arXiv:1508.07909), so that generated text looks
/// like words.
/// </summary>
internal static class TrainedMerges
{
    private const string Corpus =
        """
        the expert of a mixture is chosen by the router for every token and only the chosen experts are computed
        when memory on the accelerator is small the experts stay in the memory of the machine and attention stays on the device
        a small model can be loaded in a moment and its answer is read word by word while it is being written
        once upon a time there was a little river that ran from the mountain to the sea and nobody knew its name
        people asked the old man where the water came from and he said that it came from the rain and from the snow
        in the morning the light falls through the window on the table where the bread and the books and the letters lie
        we have to think about what we want to say before we say it because words are hard to take back after they were said
        do you know how many stars there are in the sky tonight or how many leaves there are on the trees in the garden
        numbers like one two three four five six seven eight nine ten hundred thousand million are used to count things
        write a short story about a fox and a crow who lived in the same forest and shared the same tree for many years
        the quick brown fox jumps over the lazy dog while the children play football behind the house next to the school
        music could be heard from the other side of the street where young women and men were dancing until late at night
        first second last next new good great large high long own different important public able early right big left
        hello world this is just another sentence with some more common english words such as because through between against
        please explain which question would be answered better with more information about the world around us today
        """;

    /// <summary>Gives at most so many merges, as pairs of pieces, most frequent first. A word begins with a mark.</summary>
    public static IReadOnlyList<(string Left, string Right)> Train(string wordMark, int most) => BpeTrainer.Train(
        Corpus.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).GroupBy(word => wordMark + word).ToDictionary(words => words.Key, words => words.LongCount()),
        most);
}

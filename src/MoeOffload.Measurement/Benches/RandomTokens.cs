namespace MoeOffload.Measurement.Benches;

/// <summary>Tokens to compute with where the text does not matter: at random, as llama.cpp's own bench has them, so that no expert is spared.</summary>
internal static class RandomTokens
{
    public static int[] Make(Vocabulary vocabulary, int count, int seed)
    {
        var random = new Random(seed);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            do
            {
                tokens[i] = random.Next(vocabulary.Size);
            }
            while (vocabulary.IsControl(tokens[i]) || vocabulary.IsEndOfGeneration(tokens[i]));
        }

        return tokens;
    }
}

namespace MoeOffload.Measurement.Benches;

/// <summary>Creates random tokens, like llama.cpp's own benchmark, for measurements in which the text does not matter, so that all experts are used.</summary>
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

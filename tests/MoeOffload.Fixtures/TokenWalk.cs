namespace MoeOffload.Fixtures;

/// <summary>
/// Makes a model walk: its words stand on a circle, in an order that the seed decides, and each word is followed by one of the next few,
/// never by one behind it. So no generated text repeats itself before it has been around, whatever a processor's kernels make of the
/// last bits; which of the next few it is, layers, attention and experts decide.
/// </summary>
/// <remarks>
/// A word's embedding is the sum of waves around the circle, as position encodings are (Vaswani et al. 2017, arXiv:1706.03762), so that the
/// embeddings of neighbours are alike and others are not. Its row of the output matrix is that of the place a few words before, plus
/// the random values that were there: the logits of the words ahead stand out by far, and differ among themselves at random.
/// </remarks>
internal sealed class TokenWalk
{
    /// <summary>How far ahead the most likely word is. The likely ones are up to two words from there.</summary>
    private const int Stride = 3;

    // Of a hidden state that is the word's embedding and nothing else. The random part of logits has the deviation 1.
    private const float LogitAhead = 20;

    // Waves that are shorter than so many words would tell neighbours apart, and leave the layers nothing to decide.
    private const int ShortestWave = 10;

    private const int LeftOut = -1;
    private const int NoWord = -2;

    private readonly int[] _places;
    private readonly int _wordCount;
    private readonly int _waveCount;
    private readonly float _attraction;

    public TokenWalk(TinyVocabulary vocabulary, int embeddingLength, int seed, int? wordCount)
    {
        int[] words = [.. vocabulary.Words];
        _wordCount = wordCount ?? words.Length;
        new Random(seed).Shuffle(words); // with a seed, the same on every machine
        _places = new int[vocabulary.Count];
        Array.Fill(_places, NoWord);
        for (int place = 0; place < words.Length; place++)
        {
            _places[words[place]] = place < _wordCount ? place : LeftOut;
        }

        _waveCount = Math.Min(embeddingLength / 2, _wordCount / ShortestWave);
        _attraction = LogitAhead / embeddingLength;
    }

    /// <summary>Whether a token is a word that generated text does without.</summary>
    public bool IsLeftOut(long token) => _places[token] == LeftOut;

    /// <summary>Makes a word's embedding, of mean 0 and deviation 1.</summary>
    public void Embed(long token, Span<float> row)
    {
        if (_places[token] >= 0)
        {
            row.Clear();
            AddWaves(row, _places[token], 1);
        }
    }

    /// <summary>Adds to a word's row of the output matrix what the words before it are to find there.</summary>
    public void Attract(long token, Span<float> row)
    {
        if (_places[token] >= 0)
        {
            AddWaves(row, _places[token] - Stride, _attraction);
        }
    }

    private void AddWaves(Span<float> row, int place, float deviation)
    {
        for (int i = 0; i < row.Length; i++)
        {
            int wave = 1 + (i / 2 % _waveCount);
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * wave * place / _wordCount);
            row[i] += deviation * MathF.Sqrt(2) * (float)(i % 2 == 0 ? cosine : sine);
        }
    }
}

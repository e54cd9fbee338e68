using System.Numerics;
using System.Text;

namespace MoeOffload.Fixtures;

/// <summary>Uniform random rows that depend on nothing but seed, tensor name and row, and are the same on every machine.</summary>
internal sealed class RandomRows
{
    private readonly ulong _seed;

    public RandomRows(int seed, string tensor)
    {
        // FNV-1a over the name.
        _seed = 14695981039346656037 ^ (ulong)seed;
        foreach (var value in Encoding.UTF8.GetBytes(tensor))
        {
            _seed = (_seed ^ value) * 1099511628211;
        }
    }

    /// <summary>Fills a row with values of a mean and a standard deviation.</summary>
    public void Fill(long rowIndex, Span<float> row, float mean, float deviation)
    {
        // A uniform distribution over [-1, 1) has the deviation 1/√3.
        const float SquareRootOf3 = 1.7320508f;
        var state = Mix(_seed + ((ulong)rowIndex * 0x9E3779B97F4A7C15));
        var scale = deviation * SquareRootOf3 / (1 << 23);
        for (var i = 0; i < row.Length; i++)
        {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            row[i] = mean + (scale * ((int)((state * 0x2545F4914F6CDD1D) >> 40) - (1 << 23)));
        }
    }

    private static ulong Mix(ulong value)
    {
        value ^= BitOperations.RotateRight(value, 25) ^ BitOperations.RotateRight(value, 47);
        value *= 0x9E6C63D0676A9A99;
        value ^= value >> 23;
        value *= 0x9E6D62D06F6A9A9B;
        return (value ^ (value >> 32)) | 1;
    }
}

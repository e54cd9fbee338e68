using System.Runtime.InteropServices;
using System.Text;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Fills tensors at the speed of memory. For each type and standard deviation, a pool of random blocks is created once, and each row is a copy
/// of a part of it, with a different start. The result depends only on the seed, the name of the tensor and the row.
/// </summary>
internal sealed class WeightPools(int seed)
{
    private const int PoolBytes = 4 << 20;

    private readonly Dictionary<(GgmlType Type, float Deviation), byte[]> _pools = [];

    /// <summary>Returns a function that writes the data of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="type">The storage type.</param>
    /// <param name="isZero">A function that returns whether a row is all zeros; null if no row is.</param>
    public GgufTensorSource Source(ShapeTensor tensor, GgmlType type, Func<long, bool>? isZero = null) => tensor.Content switch
    {
        TensorContent.Noise noise => Noise(tensor, type, noise.Deviation, isZero),
        TensorContent.Constant constant => (_, destination) => MemoryMarshal.Cast<byte, float>(destination).Fill(constant.Value),
        TensorContent.Row row => (_, destination) => row.Values.CopyTo(MemoryMarshal.Cast<byte, float>(destination)),
        _ => throw new NotSupportedException($"{tensor.Content} fills no tensor."),
    };

    private GgufTensorSource Noise(ShapeTensor tensor, GgmlType type, float deviation, Func<long, bool>? isZero)
    {
        GgmlTypeInfo info = GgmlTypeInfo.Get(type);
        int rowBytes = (int)info.GetByteCount(tensor.Dimensions[0]);
        ulong start = Hash((ulong)seed, tensor.Name);
        return (offset, destination) =>
        {
            byte[] pool = Pool(info, deviation);
            long places = ((pool.Length - rowBytes) / info.BytesPerBlock) + 1;
            for (int done = 0; done < destination.Length; done += rowBytes)
            {
                long row = (offset + done) / rowBytes;
                Span<byte> target = destination.Slice(done, rowBytes);
                if (isZero?.Invoke(row) == true)
                {
                    // In every type, blocks with all bits 0 represent zeros.
                    target.Clear();
                }
                else
                {
                    int place = (int)(Mix(start + (ulong)row) % (ulong)places) * info.BytesPerBlock;
                    pool.AsSpan(place, rowBytes).CopyTo(target);
                }
            }
        };
    }

    private byte[] Pool(GgmlTypeInfo info, float deviation)
    {
        if (!_pools.TryGetValue((info.Type, deviation), out byte[]? pool))
        {
            pool = new byte[PoolBytes / info.BytesPerBlock * info.BytesPerBlock];
            RandomBlocks.Fill(info.Type, deviation, new Random(seed), pool);
            _pools.Add((info.Type, deviation), pool);
        }

        return pool;
    }

    // This is FNV-1a.
    private static ulong Hash(ulong state, string text)
    {
        state ^= 14695981039346656037;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            state = (state ^ value) * 1099511628211;
        }

        return state;
    }

    // This is the output function of SplitMix64 (Steele, Lea and Flood, 2014).
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}

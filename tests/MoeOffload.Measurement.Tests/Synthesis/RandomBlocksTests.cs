using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Synthesis;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Synthesis;

/// <summary>Checks how ggml itself decodes the random blocks.</summary>
[TestFixture]
public sealed class RandomBlocksTests
{
    [Test]
    public void Values_have_the_mean_0_and_the_deviation_asked_for(
        [Values(GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q4_0, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.Q8_0, GgmlType.MXFP4, GgmlType.Q2_K, GgmlType.Q3_K, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K)]
        GgmlType type,
        [Values(1f, 0.0096f)] float deviation)
    {
        const int Values = 1 << 18;
        GgmlTypeInfo info = GgmlTypeInfo.Get(type);
        byte[] blocks = new byte[Values / info.BlockSize * info.BytesPerBlock];

        RandomBlocks.Fill(type, deviation, new Random(1), blocks);

        float[] values = GgmlRows.Decode(type, blocks);
        values.Average(value => (double)value).Should().BeApproximately(0, 0.02 * deviation);
        Math.Sqrt(values.Average(value => (double)value * value)).Should().BeApproximately(deviation, 0.02 * deviation);
        values.Max(Math.Abs).Should().BeLessThan(6 * deviation);
    }

    [Test]
    public void Type_without_random_blocks_is_refused() =>
        FluentActions.Invoking(() => RandomBlocks.Fill(GgmlType.IQ1_S, 1, new Random(1), new byte[50])).Should().Throw<NotSupportedException>();
}

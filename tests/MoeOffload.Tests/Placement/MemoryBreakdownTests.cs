using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class MemoryBreakdownTests
{
    private const long MiB = 1024 * 1024;

    private static readonly MemoryBreakdown s_breakdown = new(
    [
        new MemoryUse("CUDA_Host", "CUDA0", true, 100 * MiB, 0, 8 * MiB),
        new MemoryUse("CUDA0", "CUDA0", false, 10 * MiB, 4 * MiB, 6 * MiB),
        new MemoryUse("CPU_Mapped", "CPU", true, 5 * MiB, 0, 0),
    ],
    contextLength: 256);

    [Test]
    public void Breakdown_sums_devices_with_host_memory_as_one()
    {
        s_breakdown.Devices.Should().Equal(
            new MemoryUse("CUDA0", "CUDA0", false, 10 * MiB, 4 * MiB, 6 * MiB),
            new MemoryUse("Host", "Host", true, 105 * MiB, 0, 8 * MiB));
        s_breakdown.Total.TotalBytes.Should().Be(133 * MiB);
    }

    [Test]
    public void Breakdown_prints_as_an_aligned_table()
    {
        s_breakdown.ToString().ReplaceLineEndings("\n").Should().Be(
            """
            memory [MiB]   total  weights  context  compute
            CUDA0          20.00    10.00     4.00     6.00
              CUDA0        20.00    10.00     4.00     6.00
            Host          113.00   105.00     0.00     8.00
              CPU_Mapped    5.00     5.00     0.00     0.00
              CUDA_Host   108.00   100.00     0.00     8.00
            all           133.00   115.00     4.00    14.00

            """.ReplaceLineEndings("\n"));
    }
}

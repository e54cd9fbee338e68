using FluentAssertions;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class PlacementReportTests
{
    private const long MiB = 1024 * 1024;

    private static readonly TensorPlacement s_placement = TensorPlacement.ExpertsToCpu().With("nothing", "CUDA1");

    private static readonly PlacementReport s_report = new(
        s_placement,
        [
            new TensorLocation("token_embd.weight", GgmlType.Q8_0, 3 * MiB, "CPU_Mapped", "CPU", true, null),
            new TensorLocation("blk.0.attn_q.weight", GgmlType.F16, 2 * MiB, "CUDA0", "CUDA0", false, null),
            new TensorLocation("blk.0.ffn_up_exps.weight", GgmlType.Q4_K, 40 * MiB, "CUDA_Host", "CUDA0", true, 0),
            new TensorLocation("blk.1.ffn_up_exps.weight", GgmlType.Q4_K, 40 * MiB, "CUDA_Host", "CUDA0", true, 0),
        ]);

    [Test]
    public void Report_counts_experts()
    {
        s_report.TensorCount.Should().Be(4);
        s_report.Bytes.Should().Be(85 * MiB);
        s_report.ExpertTensorCount.Should().Be(2);
        s_report.ExpertBytes.Should().Be(80 * MiB);
    }

    [Test]
    public void Report_says_what_each_rule_did()
    {
        s_report.Rules.Should().Equal(
            new RuleOutcome(s_placement.Rules[0], 2, 80 * MiB),
            new RuleOutcome(s_placement.Rules[1], 0, 0));
    }

    [Test]
    public void Report_sums_buffers_and_devices_with_host_memory_as_one()
    {
        s_report.Buffers.Should().Equal(
            new BufferTotal("CUDA0", "CUDA0", false, 1, 2 * MiB, 0, 0),
            new BufferTotal("CPU_Mapped", "CPU", true, 1, 3 * MiB, 0, 0),
            new BufferTotal("CUDA_Host", "CUDA0", true, 2, 80 * MiB, 2, 80 * MiB));
        s_report.Devices.Should().Equal(
            new DeviceTotal("CUDA0", 1, 2 * MiB, 0, 0),
            new DeviceTotal("Host", 3, 83 * MiB, 2, 80 * MiB));
    }

    [Test]
    public void Report_prints_as_aligned_tables()
    {
        s_report.ToString().ReplaceLineEndings("\n").Should().Be(
            """
            buffer      memory of  tensors    MiB  experts    MiB
            CUDA0       CUDA0            1   2.00        0   0.00
            CPU_Mapped  Host             1   3.00        0   0.00
            CUDA_Host   Host             2  80.00        2  80.00
            all                          4  85.00        2  80.00

            rule                                        tensors    MiB
            \.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU        2  80.00
            nothing=CUDA1                                     0   0.00

            """.ReplaceLineEndings("\n"));
    }

    [Test]
    public void A_location_with_an_unknown_rule_is_refused()
    {
        var act = () => new PlacementReport(
            TensorPlacement.Default, [new TensorLocation("a", GgmlType.F32, 4, "CPU", "CPU", true, 0)]);

        act.Should().Throw<ArgumentOutOfRangeException>();
    }
}

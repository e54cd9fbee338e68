using FluentAssertions;
using MoeOffload.Inference.Processors;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Processors;

/// <summary>The cores to compute on are found in the description of a machine.</summary>
[TestFixture]
public sealed class PhysicalCoresTests
{
    [Test]
    public void Machine_that_is_not_described_has_a_core_for_each_processor()
    {
        using DescribedMachine machine = new();

        Cores(machine, usable: 6).Should().Be((6, null));
    }

    [Test]
    public void Threads_of_a_core_count_once()
    {
        using DescribedMachine machine = new();
        machine.With(0, "0,2").With(1, "1,3").With(2, "0,2").With(3, "1,3").With("sys/devices/system/cpu/cpuidle/current_driver", "none");

        Cores(machine, usable: 4).Should().Be((2, null));
    }

    [Test]
    public void Cores_that_the_process_cannot_use_do_not_count()
    {
        using DescribedMachine machine = new();
        machine.With(0, "0-1").With(1, "0-1").With(2, "2-3").With(3, "2-3").With(4, "4-5").With(5, "4-5")
            .With("proc/self/status", "Name:\tgame\nCpus_allowed:\t3c\nCpus_allowed_list:\t2-5\nMems_allowed:\t1\n");

        Cores(machine, usable: 4).Should().Be((2, null));
    }

    [Test]
    public void Hybrid_processor_of_intel_computes_on_its_fast_cores()
    {
        using DescribedMachine machine = new();
        machine.With(0, "0-1").With(1, "0-1").With(2, "2-3").With(3, "2-3").With(4, "4").With(5, "5").With(6, "6").With(7, "7")
            .With("sys/devices/cpu_core/cpus", "0-3\n").With("sys/devices/cpu_atom/cpus", "4-7\n");

        Cores(machine, usable: 8).Should().Be((2, "0,1,2,3"));
    }

    [Test]
    public void Hybrid_processor_of_arm_computes_on_cores_that_are_about_as_fast_as_the_fastest()
    {
        using DescribedMachine machine = new();
        int[] capacities = [325, 325, 325, 325, 870, 870, 870, 1024];
        for (int i = 0; i < capacities.Length; i++)
        {
            machine.With(i, $"{i}", capacities[i]);
        }

        Cores(machine, usable: 8).Should().Be((4, "4,5,6,7"));
    }

    [Test]
    public void Process_that_is_bound_to_slow_cores_uses_them()
    {
        using DescribedMachine machine = new();
        machine.With(0, "0").With(1, "1").With(2, "2").With(3, "3")
            .With("sys/devices/cpu_core/cpus", "0-1\n").With("sys/devices/cpu_atom/cpus", "2-3\n")
            .With("proc/self/status", "Cpus_allowed_list:\t2,3\n");

        Cores(machine, usable: 2).Should().Be((2, null));
    }

    [Test]
    public void Equal_cores_are_not_hybrid()
    {
        using DescribedMachine machine = new();
        machine.With(0, "0", 1024).With(1, "1", 1024);

        Cores(machine, usable: 2).Should().Be((2, null));
    }

    [TestCase(1.5, 1)]
    [TestCase(2, 2)]
    [TestCase(2.9, 2)]
    [TestCase(0.25, 1)]
    [TestCase(64, 4)]
    public void Quota_of_a_container_limits_the_cores_to_the_whole_ones(double quota, int expected)
    {
        LogicalProcessor[] processors = [.. Enumerable.Range(0, 4).Select(i => new LogicalProcessor(i, $"{i}", IsFast: true))];

        PhysicalCores.Select(processors, usable: 4, quota).Count.Should().Be(expected);
    }

    [Test]
    public void Quota_is_read_from_the_described_machine()
    {
        using DescribedMachine machine = new();
        for (int i = 0; i < 8; i++)
        {
            machine.With(i, $"{i}");
        }

        machine.With("proc/self/cgroup", "0::/\n").With("proc/self/mountinfo", CpuQuotaTests.Version2).With("sys/fs/cgroup/cpu.max", "150000 100000\n");

        // .NET rounds the quota up to 2 processors.
        Cores(machine, usable: 2).Should().Be((1, null));
    }

    [Test]
    public void This_machine_has_cores_that_the_process_can_use() =>
        PhysicalCores.Current.Count.Should().BeInRange(1, Environment.ProcessorCount);

    private static (int Count, string? Processors) Cores(DescribedMachine machine, int usable)
    {
        IReadOnlyList<LogicalProcessor> processors = LinuxProcessors.Read(machine.Root);
        PhysicalCores cores = PhysicalCores.Select(processors, usable, CpuQuota.Read(machine.Root));
        return (cores.Count, cores.Processors is null ? null : string.Join(',', cores.Processors));
    }
}

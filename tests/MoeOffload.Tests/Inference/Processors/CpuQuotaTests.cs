using FluentAssertions;
using MoeOffload.Inference.Processors;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Processors;

/// <summary>The CPU quota of a container is read in both versions of Linux's control groups.</summary>
[TestFixture]
public sealed class CpuQuotaTests
{
    /// <summary>The mounts of a machine with control groups of version 2.</summary>
    internal const string Version2 =
        "22 28 0:20 / /proc rw,nosuid - proc proc rw\n" +
        "25 28 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    private const string Version1 =
        "32 25 0:28 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n" +
        "33 25 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct\n";

    [TestCase("150000 100000", 1.5)]
    [TestCase("50000 200000", 0.25)]
    [TestCase("max 100000", null)]
    [TestCase("", null)]
    [TestCase("100000 0", null)]
    public void Quota_of_version_2(string text, double? expected)
    {
        using DescribedMachine machine = new();
        machine.With("proc/self/cgroup", "0::/\n").With("proc/self/mountinfo", Version2).With("sys/fs/cgroup/cpu.max", text + "\n");

        CpuQuota.Read(machine.Root).Should().Be(expected);
    }

    [Test]
    public void Least_quota_of_the_enclosing_groups_applies()
    {
        using DescribedMachine machine = new();
        machine.With("proc/self/cgroup", "0::/games.slice/chess.scope\n").With("proc/self/mountinfo", Version2)
            .With("sys/fs/cgroup/games.slice/cpu.max", "250000 100000\n")
            .With("sys/fs/cgroup/games.slice/chess.scope/cpu.max", "400000 100000\n");

        CpuQuota.Read(machine.Root).Should().Be(2.5);
    }

    [TestCase("300000", 3.0)]
    [TestCase("-1", null)]
    public void Quota_of_version_1(string quota, double? expected)
    {
        using DescribedMachine machine = new();
        machine.With("proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n")
            .With("proc/self/mountinfo", Version1)
            .With("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", quota + "\n")
            .With("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");

        CpuQuota.Read(machine.Root).Should().Be(expected);
    }

    [Test]
    public void Group_outside_of_what_is_mounted_uses_the_mount_itself()
    {
        using DescribedMachine machine = new();
        machine.With("proc/self/cgroup", "0::/../../other\n").With("proc/self/mountinfo", Version2).With("sys/fs/cgroup/cpu.max", "200000 100000\n");

        CpuQuota.Read(machine.Root).Should().Be(2);
    }

    [Test]
    public void Machine_without_control_groups_has_no_quota()
    {
        using DescribedMachine machine = new();

        CpuQuota.Read(machine.Root).Should().BeNull();
    }
}

using FluentAssertions;
using MoeOffload.Models;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>System memory as Linux tells of it, read from files as a container has them.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HostMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("moe host memory ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Without_control_groups_what_the_system_has_is_available()
    {
        Write("proc/meminfo", "MemTotal: 2000 kB\nMemAvailable:    1000 kB\n");

        HostMemory.Available(_root).Should().Be(1000 * 1024);
    }

    [Test]
    public void Own_group_of_version_2_bounds_it()
    {
        Version2("/user/app");
        Group("sys/fs/cgroup/user/app", "memory.max", "5000", "memory.current", "3000", "inactive_file 500");

        HostMemory.Available(_root).Should().Be(2500);
    }

    [Test]
    public void Group_above_the_own_one_bounds_it_too()
    {
        Version2("/user/app");
        Group("sys/fs/cgroup/user/app", "memory.max", "max", "memory.current", "3000", "inactive_file 500");
        Group("sys/fs/cgroup/user", "memory.max", "4000", "memory.current", "3500", "inactive_file 0");

        HostMemory.Available(_root).Should().Be(500);
    }

    [Test]
    public void Group_of_version_1_bounds_it()
    {
        Write("proc/meminfo", "MemAvailable: 1000 kB\n");
        Write("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/process\n0::/\n");
        Write(
            "proc/self/mountinfo",
            "30 20 0:20 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n31 20 0:21 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory\n");
        Group("sys/fs/cgroup/memory/process", "memory.limit_in_bytes", "5000", "memory.usage_in_bytes", "4000", "total_inactive_file 250");

        HostMemory.Available(_root).Should().Be(1250);
    }

    [Test]
    public void Container_whose_mount_begins_at_its_own_group_is_bounded()
    {
        Write("proc/meminfo", "MemAvailable: 1000 kB\n");
        Write("proc/self/cgroup", "0::/docker/abc/app\n");
        Write("proc/self/mountinfo", "31 20 0:21 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
        Group("sys/fs/cgroup", "memory.max", "700", "memory.current", "300", "inactive_file 0");

        HostMemory.Available(_root).Should().Be(400);
    }

    [Test]
    public void More_in_use_than_the_limit_leaves_nothing()
    {
        Version2("/");
        Group("sys/fs/cgroup", "memory.max", "100", "memory.current", "300", "inactive_file 0");

        HostMemory.Available(_root).Should().Be(0);
    }

    private void Version2(string group)
    {
        Write("proc/meminfo", "MemAvailable: 1000 kB\n");
        Write("proc/self/cgroup", $"0::{group}\n");
        Write("proc/self/mountinfo", "31 20 0:21 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
    }

    private void Group(string directory, string limitName, string limit, string usageName, string usage, string statistic)
    {
        Write($"{directory}/{limitName}", limit + "\n");
        Write($"{directory}/{usageName}", usage + "\n");
        Write($"{directory}/memory.stat", $"anon 1\n{statistic}\n");
    }

    private void Write(string path, string text)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}

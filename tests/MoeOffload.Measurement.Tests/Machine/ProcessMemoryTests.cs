using FluentAssertions;
using MoeOffload.Measurement.Machine;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Machine;

public sealed class ProcessMemoryTests
{
    [TestCase("VmRSS:\t    1676 kB", 1676)]
    [TestCase("VmRSS:\t11821234 kB", 11_821_234)]
    [TestCase("VmRSS:           11821234 kB", 11_821_234)]
    public void Field_is_read_however_wide_it_is(string line, long kibibytes) =>
        ProcessMemory.FindKibibytes(["VmHWM:\t    9999 kB", line], "VmRSS").Should().Be(kibibytes * 1024);

    [Test]
    public void Field_that_is_not_there_is_null() => ProcessMemory.FindKibibytes(["VmHWM:\t    9999 kB"], "VmRSS").Should().BeNull();

    [Test]
    public void Own_process_is_resident() => new ProcessMemory(Environment.ProcessId).ReadResident().Should().BePositive();
}

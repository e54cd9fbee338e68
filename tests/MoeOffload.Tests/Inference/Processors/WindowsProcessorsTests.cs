using System.Buffers.Binary;
using FluentAssertions;
using MoeOffload.Inference.Processors;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Processors;

/// <summary>The array that Windows describes processors with is parsed on each system.</summary>
[TestFixture]
public sealed class WindowsProcessorsTests
{
    [Test]
    public void Processors_of_the_highest_efficiency_class_are_fast()
    {
        byte[] information = [.. Set(0, core: 0, efficiency: 1), .. Set(1, core: 0, efficiency: 1), .. Set(2, core: 2, efficiency: 0), .. Set(3, core: 3, efficiency: 0)];

        WindowsProcessors.Parse(information, 0b1111).Should().Equal(
            new LogicalProcessor(0, "0", true), new LogicalProcessor(1, "0", true), new LogicalProcessor(2, "2", false), new LogicalProcessor(3, "3", false));
    }

    [Test]
    public void Affinity_of_the_process_limits_the_processors_and_what_is_fast()
    {
        byte[] information = [.. Set(0, core: 0, efficiency: 1), .. Set(1, core: 1, efficiency: 0), .. Set(2, core: 2, efficiency: 0)];

        WindowsProcessors.Parse(information, 0b110).Should().Equal(new LogicalProcessor(1, "1", true), new LogicalProcessor(2, "2", true));
    }

    [Test]
    public void Elements_of_another_type_or_a_larger_size_are_skipped()
    {
        byte[] other = Set(7, core: 7, efficiency: 9);
        BinaryPrimitives.WriteInt32LittleEndian(other.AsSpan(4), 1);
        byte[] large = [.. Set(0, core: 0, efficiency: 0), 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(large, large.Length);

        WindowsProcessors.Parse([.. other, .. large, .. Set(1, core: 1, efficiency: 0)], ulong.MaxValue).Should().Equal(
            new LogicalProcessor(0, "0", true), new LogicalProcessor(1, "1", true));
    }

    [Test]
    public void Machine_with_several_groups_is_not_described() =>
        WindowsProcessors.Parse([.. Set(0, core: 0, efficiency: 0), .. Set(0, core: 0, efficiency: 0, group: 1)], ulong.MaxValue).Should().BeEmpty();

    [TestCase(0)]
    [TestCase(19)]
    [TestCase(33)]
    public void Element_of_a_wrong_size_ends_the_array(int size)
    {
        byte[] information = Set(0, core: 0, efficiency: 0);
        BinaryPrimitives.WriteInt32LittleEndian(information, size);

        WindowsProcessors.Parse(information, ulong.MaxValue).Should().BeEmpty();
    }

    // SYSTEM_CPU_SET_INFORMATION, as the documentation of Windows describes it.
    private static byte[] Set(byte index, byte core, byte efficiency, ushort group = 0)
    {
        byte[] set = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(set, set.Length);
        BinaryPrimitives.WriteInt32LittleEndian(set.AsSpan(8), 256 + index);
        BinaryPrimitives.WriteUInt16LittleEndian(set.AsSpan(12), group);
        set[14] = index;
        set[15] = core;
        set[18] = efficiency;
        return set;
    }
}

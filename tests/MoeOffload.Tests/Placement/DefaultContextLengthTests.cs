using FluentAssertions;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class DefaultContextLengthTests
{
    private const double BytesPerToken = 100_000;

    [TestCase(2048, 0, 2048)]
    [TestCase(8192, long.MaxValue, 8192)]
    [TestCase(0, long.MaxValue, 8192)]
    [TestCase(131_072, 0, 8192)]
    [TestCase(131_072, 6_553_599_999, 8192)]
    [TestCase(131_072, 6_553_600_000, 16_384)]
    [TestCase(131_072, 26_214_400_000, 65_536)]
    [TestCase(131_072, 52_428_800_000, 131_072)]
    [TestCase(131_072, long.MaxValue, 131_072)]
    [TestCase(20_000, long.MaxValue, 20_000)]
    [TestCase(20_000, 7_999_999_999, 16_384)]
    [TestCase(int.MaxValue, long.MaxValue, int.MaxValue)]
    public void Length_is_doubled_to_the_trained_one_while_a_quarter_of_the_room_holds_it(int trained, long room, int expected) =>
        DefaultContextLength.Choose(trained, BytesPerToken, room).Should().Be(expected);

    [TestCase(24, 20, 4, 20, TestName = "Room_is_what_is_free")]
    [TestCase(24, 22, 20, 4, TestName = "Room_leaves_the_weights_of_a_mapped_file_in_memory")]
    [TestCase(24, 22, 30, 0, TestName = "Room_is_nothing_if_the_weights_exceed_the_memory")]
    public void Room_is(long total, long free, long weights, long expected) => DefaultContextLength.Room(total, free, weights).Should().Be(expected);
}

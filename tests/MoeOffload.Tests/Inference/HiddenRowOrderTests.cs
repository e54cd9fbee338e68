using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>The order in which llama.cpp computes the tokens of a batch, and lays down their hidden states.</summary>
[TestFixture]
public sealed class HiddenRowOrderTests
{
    [TestCase("0 0 0 1", "---+", "0 1 2 3")]
    [TestCase("2 2 0 0", "-+-+", "0 1 2 3")]
    public void One_cache_for_all_keeps_the_order_of_the_batch(string sequences, string outputs, string rows) =>
        Find(new HiddenRowOrder(512, splitsEqually: false, isConsecutive: false, tail: 0), sequences, outputs).Should().Be(rows);

    [TestCase("3 3 3", "--+", "0 1 2")]
    [TestCase("0 0 0 1", "----", "0 2 3 1")]
    [TestCase("0 0 0 1", "++++", "0 1 2 3")]
    [TestCase("0 0 0 1", "--++", "1 2 3 0")]
    [TestCase("0 1 1 1", "++++", "0 1 2 3")]
    [TestCase("0 0 2 2", "-+-+", "0 1 2 3")]
    [TestCase("0 0 0 2", "----", "0 1 2 3")]
    [TestCase("0 0 1 1 1 1", "------", "0 1 2 3 4 5")]
    public void Caches_of_their_own_are_computed_side_by_side(string sequences, string outputs, string rows) =>
        Find(new HiddenRowOrder(512, splitsEqually: true, isConsecutive: true, tail: 0), sequences, outputs).Should().Be(rows);

    [TestCase("0 0 0 1 1 1", "------", "0 2 4 1 3 5")]
    [TestCase("0 1 2", "+++", "0 1 2")]
    public void A_micro_batch_takes_as_many_as_it_holds(string sequences, string outputs, string rows) =>
        Find(new HiddenRowOrder(2, splitsEqually: true, isConsecutive: true, tail: 0), sequences, outputs).Should().Be(rows);

    [TestCase("0 0 0 2", "----", "0 1 2 3")]
    [TestCase("0 2 2 2", "----", "0 1 2 3")]
    [TestCase("0 0 0 0 0 0 2 2", "--------", "0 1 4 5 6 7 2 3")]
    public void The_end_of_a_recurrent_sequence_is_not_torn_apart(string sequences, string outputs, string rows) =>
        Find(new HiddenRowOrder(512, splitsEqually: true, isConsecutive: false, tail: 4), sequences, outputs).Should().Be(rows);

    private static string Find(HiddenRowOrder order, string sequences, string outputs)
    {
        int[] numbers = [.. sequences.Split(' ').Select(int.Parse)];
        int[] rows = new int[numbers.Length];
        order.Find(numbers, [.. outputs.Select(output => (sbyte)(output == '+' ? 1 : 0))], rows);
        return string.Join(' ', rows);
    }
}

using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Fixtures;
using MoeOffload.Inference;
using MoeOffload.Inference.Speculation;
using MoeOffload.Native;
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

    [TestCase("glm4moe", false)]
    [TestCase("glm4moe", true)]
    [TestCase("step35", false)]
    [TestCase("qwen35moe", false)]
    [TestCase("qwen35moe", true)]
    public void Hidden_state_of_each_token_is_that_of_its_sequence_alone(string architecture, bool unified)
    {
        TinyModelOptions all = TinyModelOptions.AllExperts;
        TinyModel file = architecture switch { "glm4moe" => TinyModels.Glm4Moe(all), "step35" => TinyModels.Step35(all), _ => TinyModels.Qwen35Moe(all) };
        using MoeModel model = MoeModel.Load(file.Path);
        ContextOptions options = SmallModel.Context(1024, sequences: 4) with
        {
            MicroBatchSize = 16,
            KvCache = new KvCacheOptions { Unified = unified },
            Speculation = new SpeculationOptions { MaxDraftTokens = 3 },
        };
        using NativeContext context = NativeContext.Create(
            model.Native.Handle, new ContextParameters(options, expertsOffloaded: false).ToSettings(), NullLogger.Instance);
        context.KeepHidden(all: true);
        var order = HiddenRowOrder.Of(context, unified);

        // These are prompts whose last token has logits, and draft tokens that all have logits.
        (int Sequence, int Count, int Outputs)[] runs = [(0, 21, 1), (1, 4, 4), (2, 1, 1), (3, 9, 0)];
        List<float[]> alone = [];
        foreach (var run in runs)
        {
            alone.AddRange(Compute(run));
            context.Remove(run.Sequence, 0);
        }

        List<float[]> together = Compute(runs);
        for (int i = 0; i < alone.Count; i++)
        {
            double distance = alone[i].Zip(together[i], (one, other) => (double)(one - other) * (one - other)).Sum();
            (distance / alone[i].Sum(value => (double)value * value)).Should().BeLessThan(0.01, $"token {i}");
        }

        List<float[]> Compute(params (int Sequence, int Count, int Outputs)[] batch)
        {
            context.ClearBatch();
            foreach ((int sequence, int count, int outputs) in batch)
            {
                for (int i = 0; i < count; i++)
                {
                    context.Add(200 + (31 * sequence) + (7 * i), i, sequence, wantsLogits: i >= count - outputs);
                }
            }

            context.Decode().Should().Be(DecodeResult.Done);
            int[] rows = new int[context.BatchCount];
            order.Find(context.Batch.Sequences, context.Batch.Outputs, rows);
            ReadOnlySpan<float> hidden = context.HiddenRows();
            List<float[]> found = [];
            foreach (int row in rows)
            {
                found.Add(hidden.Slice(row * context.HiddenWidth, context.HiddenWidth).ToArray());
            }

            return found;
        }
    }

    private static string Find(HiddenRowOrder order, string sequences, string outputs)
    {
        int[] numbers = [.. sequences.Split(' ').Select(int.Parse)];
        int[] rows = new int[numbers.Length];
        order.Find(numbers, [.. outputs.Select(output => (sbyte)(output == '+' ? 1 : 0))], rows);
        return string.Join(' ', rows);
    }
}

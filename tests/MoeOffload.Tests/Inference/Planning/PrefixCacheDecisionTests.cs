using FluentAssertions;
using MoeOffload.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>Checks which sequence a request gets, and how the KV cache is changed for it.</summary>
[TestFixture]
public sealed class PrefixCacheDecisionTests
{
    private static readonly CacheShape s_shape = new() { SequenceCount = 3, CellCount = 768, SequenceLength = 256, BatchSize = 64 };

    private CacheModel _model = null!;
    private PrefixCache _cache = null!;
    private SessionCounters _counters = null!;

    [SetUp]
    public void MakeCache() => Make(s_shape);

    [Test]
    public void Kept_prompt_is_taken_over_but_for_its_last_token()
    {
        int[] prompt = Prompt(60);
        Release(Use(prompt));
        SequenceSlot again = Acquire(prompt);
        again.Count.Should().Be(59);
        _model.Tokens(again.Id).Should().Equal(prompt[..59]);
    }

    [Test]
    public void Long_prefix_of_a_running_sequence_is_copied_and_a_short_one_computed()
    {
        int[] prompt = Prompt(60);
        SequenceSlot running = Use(prompt);
        SequenceSlot copied = Acquire([.. prompt[..40], 1, 2]);
        copied.Id.Should().NotBe(running.Id);
        copied.Count.Should().Be(40);
        _model.Log.Should().ContainSingle(line => line.StartsWith("Copy"));
        Acquire([.. prompt[..7], 1, 2]).Count.Should().Be(0, "copying 256 cells costs more than computing 7");
    }

    [Test]
    public void Unified_cache_shares_cells_whatever_their_number()
    {
        Make(s_shape with { IsUnified = true });
        int[] prompt = Prompt(60);
        SequenceSlot running = Use(prompt);
        SequenceSlot sharing = Acquire([.. prompt[..7], 1, 2]);
        sharing.Count.Should().Be(7);
        (running.SharedCount, sharing.SharedCount).Should().Be((7, 7));
        _model.CountCells().Should().Be(60);
    }

    [Test]
    public void Shift_of_shared_cells_computes_what_follows_again()
    {
        Make(s_shape with { IsUnified = true });
        int[] prompt = Prompt(60);
        Use(prompt);
        SequenceSlot sharing = Acquire([.. prompt[..50], 1, 2, 3]);
        Compute(sharing);
        sharing.Tokens.Add(4);
        Run(_cache.Shift(sharing, 10));
        sharing.Count.Should().Be(10);
        sharing.Tokens.Should().HaveCount(10 + ((53 - 10) / 2) + 1 + 1);
        _model.Log.Should().NotContain(line => line.StartsWith("Shift"));
    }

    [Test]
    public void Shift_leaves_only_what_nothing_was_forgotten_before_to_others()
    {
        int[] prompt = Prompt(60);
        SequenceSlot slot = Use(prompt);
        slot.Tokens.Add(1);
        Run(_cache.Shift(slot, 20));
        slot.Count.Should().Be(40);
        slot.Reusable.ToArray().Should().Equal(prompt[..20]);
        Release(slot);
        slot.Count.Should().Be(20);
    }

    [Test]
    public void Least_recently_used_sequence_is_evicted()
    {
        int[][] prompts = [.. Enumerable.Range(1, 4).Select(seed => Prompt(30, seed))];
        Array.ForEach(prompts[..3], prompt => Release(Use(prompt)));
        Release(Acquire(prompts[0]));
        Release(Use(prompts[3]));
        Acquire(prompts[1]).Count.Should().Be(0);
        Acquire(prompts[3]).Count.Should().Be(29);
        Acquire(prompts[0]).Count.Should().Be(29);
    }

    [Test]
    public void Evicted_sequence_goes_to_system_memory_and_comes_back()
    {
        Make(s_shape with { SequenceCount = 1, HostBytes = 1000 });
        int[] prompt = Prompt(30);
        Release(Use(prompt));
        Release(Use(Prompt(30, seed: 2)));
        _cache.Host.Bytes.Should().Be(300);
        SequenceSlot back = Acquire([.. prompt, 1]);
        back.Count.Should().Be(30);
        SessionStatistics statistics = _counters.Read(0, 0);
        (statistics.SwapOuts, statistics.SwapIns).Should().Be((2, 1));
        _model.OpenStates.Should().Be(1, "the other prompt had to leave for it");
    }

    [Test]
    public void System_memory_drops_the_least_recently_used_for_what_comes()
    {
        Make(s_shape with { SequenceCount = 1, HostBytes = 650 });
        int[][] prompts = [.. Enumerable.Range(1, 4).Select(seed => Prompt(30, seed))];
        Array.ForEach(prompts, prompt => Release(Use(prompt)));
        _cache.Host.Sequences.Select(host => host.Tokens).Should().BeEquivalentTo(prompts[1..3], choice => choice.WithStrictOrdering());
        _model.OpenStates.Should().Be(2);
    }

    [Test]
    public void Sequence_for_which_there_is_no_system_memory_is_dropped()
    {
        Make(s_shape with { SequenceCount = 1, HostBytes = 1000 });
        _model.HasHostMemory = false;
        Release(Use(Prompt(30)));
        Use(Prompt(30, seed: 2));
        _cache.Host.Sequences.Should().BeEmpty();
    }

    [Test]
    public void Recurrent_state_is_continued_as_a_whole_or_not_at_all()
    {
        Make(s_shape with { CanTrim = false });
        int[] prompt = Prompt(60);
        Release(Use(prompt));
        Acquire(prompt).Count.Should().Be(0, "its last token must be computed");
        Acquire([.. prompt, 1]).Count.Should().Be(60);
    }

    [Test]
    public void Window_must_still_be_there()
    {
        Make(s_shape with { WindowLength = 8 });
        int[] prompt = Prompt(60);
        Release(Use(prompt));
        Release(Acquire([.. prompt[..20], 1]));
        _model.Log.Should().Contain(line => line.StartsWith("FindFirstPosition"));
        Acquire([.. prompt, 1]).Count.Should().Be(60, "the short prompt found no window, and took another sequence");
    }

    [Test]
    public void Cache_that_keeps_nothing_is_empty_when_a_request_ends()
    {
        Make(s_shape with { KeepsPrefixes = false });
        int[] prompt = Prompt(60);
        SequenceSlot slot = Use(prompt);
        Release(slot);
        _model.Tokens(slot.Id).Should().BeEmpty();
        Acquire(prompt).Count.Should().Be(0);
    }

    [Test]
    public void Invalid_cells_are_dropped_and_what_runs_is_not_kept()
    {
        SequenceSlot running = Use(Prompt(60));
        Release(Use(Prompt(30, seed: 2)));
        Run(_cache.Invalidate());
        _cache.Slots.Sum(slot => slot.Count).Should().Be(60);
        Release(running);
        _cache.Slots.Sum(slot => slot.Count).Should().Be(0);
        _model.CountCells().Should().Be(0);
    }

    [Test]
    public void Loaded_sequences_are_found_and_the_last_ones_taken_if_there_are_too_many()
    {
        int[][] prompts = [.. Enumerable.Range(1, 4).Select(seed => Prompt(30, seed))];
        Array.ForEach(prompts, prompt => Release(Use(prompt)));
        HostSequence[] saved = [.. prompts[1..].Select(prompt => _model.Execute(CacheOperation.SwapOut(Slot(prompt).Id, prompt)).Host!)];
        Make(s_shape with { SequenceCount = 2 });
        Run(_cache.Load(saved));
        _cache.CountLoadable(3).Should().Be(2);
        Acquire([.. prompts[3], 1]).Count.Should().Be(30);
        Acquire([.. prompts[2], 1]).Count.Should().Be(30);

        SequenceSlot Slot(int[] prompt) => _cache.Slots.Single(slot => slot.Reusable.SequenceEqual(prompt));
    }

    private static int[] Prompt(int length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(10, 1000))];
    }

    private void Make(CacheShape shape)
    {
        _model = new CacheModel(shape);
        _counters = new SessionCounters();
        _cache = new PrefixCache(shape, _counters);
    }

    private void Run(IEnumerable<CacheOperation> operations) => _model.Run(_cache, operations);

    private SequenceSlot Acquire(int[] prompt)
    {
        var lease = new SlotLease(prompt, [], prompt.Length);
        Run(_cache.Acquire(lease));
        return lease.Slot!;
    }

    private SequenceSlot Use(int[] prompt)
    {
        SequenceSlot slot = Acquire(prompt);
        Compute(slot);
        return slot;
    }

    private void Compute(SequenceSlot slot)
    {
        List<BatchEntry> entries = [.. Enumerable.Range(slot.Count, slot.Tokens.Count - slot.Count).Select(i => new BatchEntry(slot.Tokens[i], i, slot.Id, false))];
        _model.TryCompute(entries, entries.Count).Should().BeTrue();
        slot.Count = slot.Tokens.Count;
    }

    private void Release(SequenceSlot slot) => Run(_cache.Release(slot));
}

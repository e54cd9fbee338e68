using FluentAssertions;
using MoeOffload.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>Checks how images are planned among tokens.</summary>
[TestFixture]
public sealed class ImagePlanTests
{
    private const int Image = -7;
    private static readonly CacheShape s_shape = new() { SequenceCount = 3, CellCount = 768, SequenceLength = 256, BatchSize = 64 };

    private StepPlanner _planner = null!;
    private List<CacheOperation> _operations = null!;

    [SetUp]
    public void MakePlanner()
    {
        _planner = new StepPlanner(s_shape, promptTokensPerStep: 16, lookup: null, new SessionCounters());
        _operations = [];
    }

    [Test]
    public void Image_waits_for_its_embeddings_and_shares_no_step_with_tokens()
    {
        var input = new Input();
        SequenceRequest request = Add(5, 20, 4, input);

        Step().Entries.Select(entry => entry.Position).Should().Equal([0, 1, 2, 3, 4], "the tokens before the image");
        input.Requests.Should().Be(1, "it is encoded meanwhile");
        Step().IsEmpty.Should().BeTrue();
        input.IsReady = true;
        StepPlan image = Step();
        image.Entries.Should().BeEmpty();
        image.Image.Should().BeEquivalentTo(new { Begin = 0, Count = 20, Position = 5 });
        input.Releases.Should().Be(1);
        StepPlan rest = Step();
        rest.Image.Should().BeNull();
        rest.Entries.Select(entry => (entry.Position, entry.WantsLogits)).Should().Equal((25, false), (26, false), (27, false), (28, true));
        request.ComputedPromptCount.Should().Be(29);
    }

    [Test]
    public void Other_sequences_get_every_second_step_and_parts_of_images_are_limited()
    {
        SequenceRequest decoding = Add(4, 0, 0, null);
        Step();
        decoding.Accept(9, isEnd: false, s_shape.SequenceLength);
        Add(0, 40, 2, new Input { IsReady = true });
        var steps = new List<int?>();
        for (int i = 0; i < 6; i++)
        {
            StepPlan plan = Step();
            steps.Add(plan.Image?.Count);
            if (plan.Image is null)
            {
                plan.Requests.Should().Contain(decoding);
                decoding.Accept(9, isEnd: false, s_shape.SequenceLength);
            }
        }

        steps.Should().Equal(16, null, 16, null, 8, null);
    }

    [Test]
    public void Image_whose_embeddings_attend_to_each_other_is_one_step()
    {
        SequenceRequest decoding = Add(4, 0, 0, null);
        Step();
        decoding.Accept(9, isEnd: false, s_shape.SequenceLength);
        Add(0, 40, 2, new Input { IsReady = true }, isCausal: false);
        Step().Image!.Count.Should().Be(40);
    }

    [Test]
    public void Positions_after_an_image_follow_from_its_own()
    {
        Add(5, 20, 3, new Input { IsReady = true }, positions: 6);
        Step();
        Step();
        Step().Entries.Select(entry => entry.Position).Should().Equal(11, 12, 13);
    }

    [Test]
    public void Failed_image_ends_its_request_only()
    {
        SequenceRequest request = Add(0, 20, 3, new Input { Failure = new InferenceException("damaged") });
        SequenceRequest other = Add(4, 0, 0, null);
        Step().Requests.Should().Equal(other);
        _planner.HasFailed.Should().BeTrue();
        request.EndFailure.Should().BeOfType<InferenceException>();
    }

    [Test]
    public void Prefix_ends_before_an_image_that_only_began()
    {
        var first = new Input { IsReady = true };
        SequenceRequest request = Add(5, 100, 3, first);
        Step();
        Step().Image!.Count.Should().Be(64);
        Run(_planner.Release(request));
        _planner.Cache.Slots[0].Tokens.Should().HaveCount(5, "a part of an image is not kept");

        SequenceRequest again = Add(5, 100, 3, new Input());
        Step();
        again.CachedCount.Should().Be(5);
    }

    [Test]
    public void Prefix_with_images_is_trimmed_by_positions_and_loses_its_inputs()
    {
        SequenceRequest request = Add(5, 20, 10, new Input { IsReady = true }, positions: 6);
        for (int i = 0; i < 3; i++)
        {
            Step();
        }

        Run(_planner.Release(request));
        _planner.Cache.Slots[0].Images.Should().ContainSingle().Which.Input.Should().BeNull("a kept sequence needs no embeddings");
        _planner.Cache.ListSources().Should().BeEmpty("numbers of images are not saved");

        _operations.Clear();
        SequenceRequest again = Add(5, 20, 10, new Input(), positions: 6, last: 99);
        Step();
        again.CachedCount.Should().Be(34);
        _operations.Should().ContainSingle(operation => operation.Kind == CacheOperationKind.Trim).Which.From.Should().Be(20, "5 + 6 + 9 positions");
    }

    [Test]
    public void Stopped_step_rewinds_to_the_beginning_of_the_image()
    {
        SequenceRequest request = Add(5, 100, 3, new Input { IsReady = true });
        Step();
        Step();
        Plan().Image!.Begin.Should().Be(64);
        Run(_planner.Complete(StepResult.Stopped));
        request.Sequence.Count.Should().Be(5);
        Plan().Image!.Begin.Should().Be(0);
    }

    [Test]
    public void Shift_removes_whole_images()
    {
        SequenceRequest request = Add(5, 20, 30, new Input { IsReady = true });
        for (int i = 0; i < 3; i++)
        {
            Step();
        }

        request.Accept(9, isEnd: false, s_shape.SequenceLength);
        Run(_planner.Cache.Shift(request.Sequence, keep: 3));
        request.Sequence.Images.Should().BeEmpty();
        request.Sequence.Tokens.Should().NotContain(Image).And.HaveCount(3 + 26 + 1);
    }

    // A prompt of tokens, an image and tokens.
    private SequenceRequest Add(int before, int length, int after, Input? input, bool isCausal = true, int? positions = null, int? last = null)
    {
        int[] prompt = [.. Enumerable.Range(1, before), .. Enumerable.Repeat(Image, length), .. Enumerable.Range(30, after)];
        prompt[^1] = last ?? prompt[^1];
        PlannedImage[] images = input is null ? [] : [new PlannedImage(new ImageShape(before, length, positions ?? length), isCausal, input)];
        var request = new SequenceRequest(prompt, new RequestLimits(), new TestOutput(), pace: null, images);
        _planner.Add(request);
        return request;
    }

    private StepPlan Step()
    {
        StepPlan plan = Plan();
        if (!plan.IsEmpty)
        {
            Run(_planner.Complete(StepResult.Computed));
        }

        return plan;
    }

    private StepPlan Plan()
    {
        Run(_planner.Admit(0, _ => { }));
        _planner.SelectDecoding();
        return _planner.Pack();
    }

    private void Run(IEnumerable<CacheOperation> operations)
    {
        foreach (CacheOperation operation in operations)
        {
            _operations.Add(operation);
            _planner.Cache.Complete(new CacheResult(Succeeded: true));
        }
    }

    private sealed class Input : IImageInput
    {
        public bool IsReady { get; set; }

        public Exception? Failure { get; set; }

        public int Requests { get; private set; }

        public int Releases { get; private set; }

        public void Request() => Requests = Math.Max(1, Requests);

        public void Release() => Releases++;
    }
}

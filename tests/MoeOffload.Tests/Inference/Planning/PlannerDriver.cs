using FluentAssertions;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>Runs a planner against a <see cref="CacheModel"/>, as the scheduler does against a context; each token follows from all before it.</summary>
internal sealed class PlannerDriver
{
    public const int Vocabulary = 40;
    public const int End = 0;

    private readonly Dictionary<SequenceRequest, Outcome> _outcomes = [];
    private readonly CacheShape _shape;
    private readonly int _promptLimit;

    public PlannerDriver(CacheShape shape, int promptLimit, DraftLimits? drafts = null)
    {
        _shape = shape;
        _promptLimit = promptLimit;
        Drafts = drafts;
        Cache = new CacheModel(shape);
        Planner = new StepPlanner(shape, promptLimit, drafts, Counters);
    }

    public StepPlanner Planner { get; }

    public CacheModel Cache { get; }

    public SessionCounters Counters { get; } = new();

    public DraftLimits? Drafts { get; }

    public long Now { get; set; }

    /// <summary>Requests that have not ended.</summary>
    public IEnumerable<SequenceRequest> Open => _outcomes.Where(outcome => outcome.Value.Ends == 0).Select(outcome => outcome.Key);

    /// <summary>The tokens that the last step computed.</summary>
    public StepPlan? LastPlan { get; private set; }

    /// <summary>The token that follows from all before it.</summary>
    public static int Next(long history) => (int)((ulong)history >> 33) % Vocabulary;

    public SequenceRequest Add(int[] prompt, RequestLimits limits, TestOutput? output = null, long deadline = long.MaxValue)
    {
        var request = new SequenceRequest(prompt, limits, output ?? new TestOutput(), Drafts is null ? null : new DraftPace(Drafts)) { Deadline = deadline };
        _outcomes.Add(request, new Outcome());
        Planner.Add(request);
        return request;
    }

    public List<int> Generated(SequenceRequest request) => _outcomes[request].Tokens;

    public int Ends(SequenceRequest request) => _outcomes[request].Ends;

    /// <summary>Does one step.</summary>
    /// <param name="stopAfter">After how many tokens the computation is stopped; null computes all.</param>
    /// <returns>Whether anything was to be computed.</returns>
    public bool Step(int? stopAfter = null)
    {
        Now++;
        List<SequenceRequest> ended = [];
        Planner.RemoveEnded(Now, ended);
        ended.ForEach(Finish);
        foreach (SequenceRequest request in Planner.Running.Where(request => request.HasEnded).ToArray())
        {
            Finish(request);
        }

        Cache.Run(Planner.Cache, Planner.Admit(Now, _ => { }));
        Planner.SelectDecoding();
        StepPlan plan = Planner.Pack();
        LastPlan = plan;
        if (plan.IsEmpty)
        {
            return false;
        }

        Check(plan);
        int count = Math.Min(stopAfter ?? int.MaxValue, plan.Entries.Count);
        StepResult result = !Cache.TryCompute(plan.Entries, count) ? StepResult.NoRoom
            : count < plan.Entries.Count ? StepResult.Stopped
            : StepResult.Computed;
        Cache.Run(Planner.Cache, Planner.Complete(result));
        if (result == StepResult.Computed)
        {
            foreach (SequenceRequest request in plan.Requests.ToArray())
            {
                Sample(request);
            }
        }

        return true;
    }

    /// <summary>Loses the context with all that runs.</summary>
    public void Lose()
    {
        foreach (SequenceRequest request in Planner.Running)
        {
            _outcomes[request].Ends++;
        }

        Planner.Reset();
        for (int sequence = 0; sequence < _shape.SequenceCount; sequence++)
        {
            Cache.Execute(CacheOperation.Trim(sequence, 0));
        }
    }

    private void Check(StepPlan plan)
    {
        plan.Requests.Should().OnlyHaveUniqueItems().And.BeInAscendingOrder(request => request.Sequence.Id).And.NotContain(request => request.HasEnded);
        plan.Requests.Select(request => request.Sequence).Should().OnlyHaveUniqueItems("each has a sequence of its own");
        plan.Requests.Sum(request => request.BatchedCount).Should().Be(plan.Entries.Count);
        bool others = Planner.Running.Count(request => !request.HasEnded && (request.PendingCount > 1 || request.Output.HasRoom())) > 1;
        int prompts = plan.Requests.Where(request => request.PendingCount > 1).Sum(request => request.BatchedCount);
        if (others)
        {
            prompts.Should().BeLessThanOrEqualTo(_promptLimit);
        }

        foreach (SequenceRequest request in plan.Requests)
        {
            Cache.Tokens(request.Sequence.Id).Should().Equal(request.Sequence.Tokens.Take(request.Sequence.Count), "the plan knows what the cache holds");
        }
    }

    private void Sample(SequenceRequest request)
    {
        int accepted = 0;
        if (request.LogitsIndex >= 0 && !request.Output.IsCancelled)
        {
            int first = request.Sequence.Count - 1;
            while (request.TryAcceptDraft(accepted, Sample(request, first + accepted)))
            {
                accepted++;
            }
        }

        if (request.Draft.Count > 0)
        {
            Cache.Execute(CacheOperation.Trim(request.Sequence.Id, request.Sequence.Count)).Succeeded.Should().BeTrue();
        }

        request.CompleteDraft(accepted);
    }

    private int Sample(SequenceRequest request, int position)
    {
        var output = (TestOutput)request.Output;
        output.Room.Should().BePositive("each token that is sampled has room");
        output.Room--;
        int token = Next(Cache.History(request.Sequence.Id, position));
        _outcomes[request].Tokens.Add(token);
        if (request.Accept(token, token == End, _shape.SequenceLength))
        {
            Cache.Run(Planner.Cache, Planner.Cache.Shift(request.Sequence, request.CountKeptByShift(_shape.SequenceLength)));
        }

        return token;
    }

    private void Finish(SequenceRequest request)
    {
        Cache.Run(Planner.Cache, Planner.Release(request));
        _outcomes[request].Ends++;
    }

    private sealed class Outcome
    {
        public List<int> Tokens { get; } = [];

        public int Ends { get; set; }
    }
}

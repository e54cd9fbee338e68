using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>In steady state a token costs no managed memory, as long as its text is not asked for.</summary>
[TestFixture]
public sealed class AllocationTests
{
    private static readonly GenerationRequest s_request = new()
    {
        Prompt = "To be",
        Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        MaxTokens = SteadyState.MaxTokens,
    };

    private GenerationSession _session = null!;

    [OneTimeSetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SteadyState.Context);

    [OneTimeTearDown]
    public void DisposeSession() => _session.Dispose();

    [TestCase(false)]
    [TestCase(true)]
    public async Task Iterator_in_steady_state_allocates_nothing_for_a_token(bool isSampled) => await SteadyState.EnumerateAsync(
        _session,
        isSampled ? s_request with { Sampling = new SamplingOptions { Seed = 1, IgnoreEndOfSequence = true } } : s_request);

    [Test]
    public void TryRead_in_steady_state_allocates_nothing_for_a_token() => SteadyState.Poll(_session, s_request);

    [Test]
    public async Task Generation_with_a_stop_string_in_steady_state_allocates_nothing_for_a_token() => await SteadyState.EnumerateAsync(
        _session,
        s_request with { StopStrings = ["a text that never comes, and begins with a letter that does"] });
}

using FluentAssertions;
using MoeOffload.Catalog.Tests;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PullCommandTests : IDisposable
{
    private readonly Moe _moe = new();
    private HubServer _hub = null!;

    [SetUp]
    public async Task StartHub()
    {
        _hub = await HubServer.StartAsync();
        _moe.Environment["HF_ENDPOINT"] = _hub.Address.AbsoluteUri;
        _moe.Environment["HF_HOME"] = _moe.Home["hf"];
    }

    [TearDown]
    public async Task StopHub() => await _hub.DisposeAsync();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Pulled_model_is_listed_and_its_path_printed()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", 200_000);
        _hub.Answer = (context, bytes, request) => request.Index == 0
            ? HubServer.BreakAfterAsync(context, bytes, request, 70_000)
            : HubServer.ServeAsync(context, bytes, request);
        _moe.Environment["HF_TOKEN"] = "hf_secret";

        string path = _moe.Report("pull", HubServer.Repository)["path"]!.GetValue<string>();

        File.ReadAllBytes(path).Should().Equal(content);
        _hub.Requests[^1].From.Should().BePositive();
        _hub.ListTokens.Should().OnlyContain(token => token == "Bearer hf_secret");
        _moe.Run("list", "-s").Output.Trim().Should().Be($"{HubServer.Repository}:Q4_K_M");
    }

    [Test]
    public void Variant_that_is_not_there_ends_with_3_and_lists_what_is()
    {
        _hub.Add("model-Q4_K_M.gguf", 10);

        MoeResult result = _moe.Run("pull", $"{HubServer.Repository}:Q8_0");

        result.Code.Should().Be(3);
        result.Errors.Should().Contain("Q4_K_M");
    }

    [Test]
    public void Model_is_downloaded_when_it_is_used_and_then_taken_from_the_cache()
    {
        _hub.Add("model-Q4_K_M.gguf", 10);

        MoeResult first = _moe.Run("inspect", "-hf", HubServer.Repository);
        int requests = _hub.Requests.Count;
        MoeResult second = _moe.Run("inspect", "--hf-repo", $"{HubServer.Repository}:Q4_K_M");

        requests.Should().BePositive();
        _hub.Requests.Should().HaveCount(requests);
        first.Code.Should().Be(2, "the file has no model");
        second.Errors.Should().Be(first.Errors);
        _moe.Run("inspect", "-hf", HubServer.Repository, "name").Code.Should().Be(64);
        _moe.Run("inspect", "-hff", "model.gguf").Code.Should().Be(64);
        _moe.Run("inspect", "-hf", "no reference").Code.Should().Be(64);
    }

    [Test]
    public void Hub_that_no_name_server_knows_is_not_tried_again()
    {
        _moe.Environment["HF_ENDPOINT"] = "https://no-such-hub.invalid";

        MoeResult result = _moe.Run("pull", HubServer.Repository);

        result.Code.Should().Be(1);
        result.Errors.Trim().Should().StartWith("error: The host no-such-hub.invalid was not found").And.NotContain("Trying again");
    }

    [TestCase("no reference")]
    [TestCase("model")]
    public void Reference_that_is_none_ends_with_64(string reference) => _moe.Run("pull", reference).Code.Should().Be(64);
}

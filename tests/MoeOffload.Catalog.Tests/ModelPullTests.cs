using System.Collections.Concurrent;
using FluentAssertions;
using Microsoft.AspNetCore.Http;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ModelPullTests : IDisposable
{
    private const int Size = 300_000;

    private readonly ConcurrentQueue<PullProgress> _progress = [];
    private readonly TemporaryDirectory _directory = new();
    private HubServer _hub = null!;

    [SetUp]
    public async Task StartHub() => _hub = await HubServer.StartAsync();

    [TearDown]
    public async Task StopHub() => await _hub.DisposeAsync();

    public void Dispose() => _directory.Dispose();

    [Test]
    public async Task Model_comes_into_the_cache_in_hugging_faces_layout()
    {
        byte[] content = _hub.Add("sub dir/model-Q4_K_M.gguf", Size);

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        entry.Name.Should().Be($"{HubServer.Repository}:Q4_K_M");
        entry.Bytes.Should().Be(Size);
        string repository = _directory["models--org--repo-GGUF"];
        entry.Path.Should().Be(Path.Combine(repository, "snapshots", HubServer.Commit, "sub dir", "model-Q4_K_M.gguf"));
        File.ReadAllBytes(entry.Path).Should().Equal(content);
        new FileInfo(entry.Path).LinkTarget.Should().StartWith(Path.Combine("..", "..", "..", "blobs"));
        File.ReadAllText(Path.Combine(repository, "refs", "main")).Should().Be(HubServer.Commit);
        Directory.GetFiles(Path.Combine(repository, "blobs")).Should().ContainSingle();
        _progress.First().Stage.Should().Be(PullStage.Resolving);
        _progress.Last().Should().Be(new PullProgress(PullStage.Done, "sub dir/model-Q4_K_M.gguf", Size, Size));
        new ModelCatalog(new ModelCatalogOptions { Paths = [], HuggingFaceCache = _directory.Path }).Find(HubServer.Repository)
            .Should().Be(entry);
    }

    [Test]
    public async Task Model_that_is_here_is_not_downloaded_again()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        await PullAsync(HubServer.Repository);

        await PullAsync(HubServer.Repository);

        _hub.Requests.Should().ContainSingle();
    }

    [Test]
    public async Task Broken_connections_are_resumed_where_they_broke()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, bytes, request) => request.Index < 5
            ? HubServer.BreakAfterAsync(context, bytes, request, 50_000)
            : HubServer.ServeAsync(context, bytes, request);

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
        _hub.Requests.Select(request => request.From).Should().StartWith((long?)null).And.BeInAscendingOrder();
        _hub.Requests[^1].From.Should().BeGreaterThan(0);
        _progress.Should().Contain(step => step.Stage == PullStage.Retrying && step.Message!.Contains("connection"));
    }

    [Test]
    public async Task Later_pull_goes_on_where_an_earlier_one_was_cancelled()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        using var cancel = new CancellationTokenSource();
        _hub.Answer = async (context, bytes, _) =>
        {
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, 100_000));
            await context.Response.Body.FlushAsync();
            await WaitForFileAsync("*.incomplete", 100_000);
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        Func<Task> first = () => PullAsync(HubServer.Repository, cancellationToken: cancel.Token);
        await first.Should().ThrowAsync<OperationCanceledException>();
        _hub.Answer = HubServer.ServeAsync;

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
        _hub.Requests[^1].From.Should().Be(100_000);
        _progress.Should().Contain(step => step.Stage == PullStage.Resuming);
    }

    [Test]
    public async Task Resumed_request_names_the_entity_tag_it_began_with()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = async (context, bytes, request) =>
        {
            if (request.Index == 0)
            {
                context.Response.Headers.ETag = "\"tag\"";
                await HubServer.BreakAfterAsync(context, bytes, request, 10_000);
            }
            else
            {
                await HubServer.ServeAsync(context, bytes, request);
            }
        };

        await PullAsync(HubServer.Repository);

        _hub.Requests[1].IfRange.Should().Be("\"tag\"");
    }

    [Test]
    public async Task Server_that_ignores_ranges_sends_it_all_again()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, bytes, request) => request.Index == 0
            ? HubServer.BreakAfterAsync(context, bytes, request, 50_000)
            : HubServer.ServeAsync(context, bytes, request with { From = null });

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
    }

    [Test]
    public async Task Server_that_sends_another_range_is_asked_for_all()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, bytes, request) => request.Index == 0
            ? HubServer.BreakAfterAsync(context, bytes, request, 50_000)
            : HubServer.ServeAsync(context, bytes, request.From is { } from ? request with { From = from + 1 } : request);

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
        _hub.Requests[^1].From.Should().BeNull();
    }

    [TestCase(-1000)]
    [TestCase(1000)]
    public async Task Wrong_length_is_an_error_and_leaves_no_model(int more)
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = async (context, bytes, _) =>
        {
            byte[] lie = new byte[bytes.Length + more];
            context.Response.ContentLength = lie.Length;
            await context.Response.Body.WriteAsync(lie);
        };

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage($"*sends {Size + more} bytes*which has {Size}*");
        ModelFiles().Should().BeEmpty();
    }

    [Test]
    public async Task Bytes_after_the_end_are_not_taken()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = async (context, bytes, _) =>
        {
            await context.Response.Body.WriteAsync(bytes);
            await context.Response.Body.WriteAsync(new byte[1 << 20]);
        };

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
    }

    [Test]
    public async Task Wrong_bytes_are_fetched_once_more_and_then_are_an_error()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, bytes, request) => HubServer.ServeAsync(context, [.. bytes[..^1], (byte)(bytes[^1] + 1)], request);

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*hash*");
        _hub.Requests.Should().HaveCount(2);
        ModelFiles().Should().BeEmpty();
        Directory.GetFiles(_directory.Path, "*.incomplete", SearchOption.AllDirectories)
            .Should().OnlyContain(file => new FileInfo(file).Length == 0);
    }

    [Test]
    public async Task Damaged_beginning_of_an_earlier_pull_is_thrown_away()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
        _directory.Write($"models--org--repo-GGUF/blobs/{hash}.incomplete", new string('x', 1000));

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
        _hub.Requests.Select(request => request.From).Should().Equal(1000, null);
    }

    [Test]
    public async Task Small_file_that_git_holds_itself_is_checked_by_gits_hash()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Describe = entry =>
        {
            entry.Remove("lfs");
            return entry;
        };

        CatalogEntry entry = await PullAsync(HubServer.Repository);

        File.ReadAllBytes(entry.Path).Should().Equal(content);
    }

    [Test]
    public async Task Token_goes_to_the_hub_and_not_to_another_host()
    {
        await using HubServer network = await HubServer.StartAsync();
        _hub.Add("model-Q4_K_M.gguf", Size);
        network.Add("model-Q4_K_M.gguf", Size);
        _hub.Elsewhere = network.Address;

        await PullAsync(HubServer.Repository, token: "hf_secret");

        _hub.ListTokens.Should().Equal("Bearer hf_secret");
        _hub.Requests.Should().OnlyContain(request => request.Token == "Bearer hf_secret");
        network.Requests.Should().ContainSingle().Which.Token.Should().BeNull();
    }

    [Test]
    public async Task Silent_server_is_left_after_the_stall_timeout()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = async (context, bytes, request) =>
        {
            if (request.Index == 0)
            {
                context.Response.ContentLength = bytes.Length;
                await context.Response.Body.WriteAsync(bytes.AsMemory(0, 1000));
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            await HubServer.ServeAsync(context, bytes, request);
        };

        CatalogEntry entry = await PullAsync(HubServer.Repository, stall: TimeSpan.FromSeconds(0.5));

        File.ReadAllBytes(entry.Path).Should().Equal(content);
        _progress.Should().Contain(step => step.Message == "The hub sent nothing for 0.5 s.", "messages do not follow the culture");
    }

    [Test]
    public async Task Server_error_that_stays_ends_the_pull_after_the_attempts()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, _, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*503*attempt 3*");
        _hub.Requests.Should().HaveCount(3);
    }

    [Test]
    public async Task Gated_repository_is_an_error_with_the_remedy()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Answer = (context, _, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        };

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*HF_TOKEN*");
        _hub.Requests.Should().ContainSingle();
    }

    [TestCase(404)]
    [TestCase(401)]
    public async Task Unknown_repository_is_not_found(int status)
    {
        _hub.AnswerList = context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };

        Func<Task> pull = () => PullAsync("org/nothing");

        (await pull.Should().ThrowAsync<ModelNotFoundException>()).WithMessage("*org/nothing*HF_TOKEN*");
    }

    [TestCase("<html>")]
    [TestCase("[]")]
    [TestCase("""{"sha":"../../x","siblings":[]}""")]
    [TestCase("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"a.gguf"}]}""")]
    public async Task Answer_that_does_not_come_from_a_hub_is_an_error(string answer)
    {
        _hub.AnswerList = context => context.Response.WriteAsync(answer);

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*HF_ENDPOINT*");
    }

    [TestCase("../../../escape.gguf")]
    [TestCase("/escape.gguf")]
    [TestCase("a/./b.gguf")]
    [TestCase("C:\\escape.gguf")]
    public async Task File_name_that_leaves_the_cache_is_refused(string path)
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Describe = entry =>
        {
            entry["rfilename"] = path;
            return entry;
        };

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*unsafe*");
        _hub.Requests.Should().BeEmpty();
    }

    [Test]
    public async Task Disk_without_room_is_an_error_before_anything_is_downloaded()
    {
        _hub.Add("model-Q4_K_M.gguf", Size);
        _hub.Describe = entry =>
        {
            entry["lfs"]!["size"] = 1L << 60;
            return entry;
        };

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<IOException>()).WithMessage("*GB free*HF_HOME*");
        _hub.Requests.Should().BeEmpty();
    }

    [Test]
    public async Task Two_pulls_at_once_download_once()
    {
        byte[] content = _hub.Add("model-Q4_K_M.gguf", Size);
        var begun = new TaskCompletionSource();
        _hub.Answer = async (context, bytes, request) =>
        {
            begun.TrySetResult();
            for (int i = 0; i < 200 && !_progress.Any(step => step.Stage == PullStage.Waiting); i++)
            {
                await Task.Delay(50);
            }

            await HubServer.ServeAsync(context, bytes, request);
        };

        Task<CatalogEntry> first = PullAsync(HubServer.Repository);
        await begun.Task;
        CatalogEntry second = await PullAsync(HubServer.Repository);

        (await first).Should().Be(second);
        File.ReadAllBytes(second.Path).Should().Equal(content);
        _hub.Requests.Should().ContainSingle();
        _progress.Should().Contain(step => step.Stage == PullStage.Waiting);
    }

    [Test]
    public async Task Split_model_comes_whole_and_opens_by_its_first_part()
    {
        _hub.Add("Q8_0/model-Q8_0-00001-of-00002.gguf", 1000);
        _hub.Add("Q8_0/model-Q8_0-00002-of-00002.gguf", 2000);
        _hub.Add("model-Q4_K_M.gguf", 500);
        _hub.Add("mmproj-model-Q8_0.gguf", 500);

        CatalogEntry entry = await PullAsync($"{HubServer.Repository}:q8_0");

        entry.Bytes.Should().Be(3000);
        entry.Path.Should().EndWith("00001-of-00002.gguf");
        _hub.Requests.Select(request => request.Path).Should().Equal("Q8_0/model-Q8_0-00001-of-00002.gguf", "Q8_0/model-Q8_0-00002-of-00002.gguf");
        _progress.Last().BytesDone.Should().Be(3000);
    }

    [Test]
    public async Task Missing_part_is_an_error_before_anything_is_downloaded()
    {
        _hub.Add("model-Q8_0-00001-of-00002.gguf", 1000);

        Func<Task> pull = () => PullAsync(HubServer.Repository);

        (await pull.Should().ThrowAsync<ModelPullException>()).WithMessage("*model-Q8_0-00002-of-00002.gguf*");
        _hub.Requests.Should().BeEmpty();
    }

    [TestCase("", "*has 2 models*Q2_K, Q8_0*")]
    [TestCase(":Q4_K_M", "*has no 'Q4_K_M'*Q2_K, Q8_0*")]
    [TestCase(":model", "*has 2 models that 'model' could mean*")]
    public async Task Choice_that_is_not_clear_lists_what_there_is(string variant, string message)
    {
        _hub.Add("model-Q2_K.gguf", 10);
        _hub.Add("model-Q8_0.gguf", 10);

        Func<Task> pull = () => PullAsync(HubServer.Repository + variant);

        (await pull.Should().ThrowAsync<ModelNotFoundException>()).WithMessage(message);
    }

    [Test]
    public async Task Four_bit_medium_is_what_is_meant_where_nothing_is_said()
    {
        _hub.Add("model-Q2_K.gguf", 10);
        _hub.Add("model-Q4_K_M.gguf", 10);

        (await PullAsync(HubServer.Repository)).Name.Should().EndWith(":Q4_K_M");
    }

    [Test]
    public void Token_for_an_unencrypted_address_is_refused()
    {
        Action make = () => new ModelPull(new PullOptions { CacheDirectory = "x", Token = "secret", Endpoint = new Uri("http://hub.example") }).Dispose();

        make.Should().Throw<ArgumentException>().WithMessage("*https*");
    }

    [Test]
    public void Environment_names_hub_token_and_cache()
    {
        var variables = new Dictionary<string, string> { ["HF_ENDPOINT"] = "https://mirror.example/hub/", ["HF_TOKEN"] = "secret", ["HF_HOME"] = "/hf" };

        var options = PullOptions.FromEnvironment(variables.GetValueOrDefault);

        options.Endpoint.Should().Be(new Uri("https://mirror.example/hub"));
        options.Token.Should().Be("secret");
        options.CacheDirectory.Should().Be(Path.Combine("/hf", "hub"));
        variables["HF_ENDPOINT"] = "mirror";
        Action read = () => PullOptions.FromEnvironment(variables.GetValueOrDefault);
        read.Should().Throw<FormatException>().WithMessage("*HF_ENDPOINT*");
    }

    private async Task<CatalogEntry> PullAsync(
        string reference, string? token = null, TimeSpan? stall = null, CancellationToken cancellationToken = default)
    {
        using var pull = new ModelPull(new PullOptions
        {
            Endpoint = _hub.Address,
            CacheDirectory = _directory.Path,
            Token = token,
            MaxAttempts = 3,
            FirstRetryDelay = TimeSpan.FromMilliseconds(10),
            StallTimeout = stall ?? TimeSpan.FromSeconds(20),
        });
        return await pull.PullAsync(ModelReference.Parse(reference), new Recorder(_progress), cancellationToken);
    }

    private string[] ModelFiles() => Directory.GetFiles(_directory.Path, "*.gguf", SearchOption.AllDirectories);

    private async Task WaitForFileAsync(string pattern, long length)
    {
        for (int i = 0; i < 400; i++)
        {
            if (Directory.GetFiles(_directory.Path, pattern, SearchOption.AllDirectories).Any(file => new FileInfo(file).Length >= length))
            {
                return;
            }

            await Task.Delay(25);
        }
    }

    private sealed class Recorder(ConcurrentQueue<PullProgress> steps) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => steps.Enqueue(value);
    }
}

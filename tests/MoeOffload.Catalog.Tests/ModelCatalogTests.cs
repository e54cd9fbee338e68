using System.Collections;
using System.Runtime.Versioning;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ModelCatalogTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Test]
    public void Models_of_a_directory_are_found_with_those_below_it()
    {
        _directory.Write("models/a.gguf", "12345");
        _directory.Write("models/deep/er/b-Q4_K_M.gguf");
        _directory.Write("models/mmproj-a-f16.gguf");
        _directory.Write("models/notes.txt");

        IReadOnlyList<CatalogEntry> found = Models("models").Discover();

        found.Select(entry => (entry.Name, entry.Path, entry.Bytes, entry.Source)).Should().Equal(
            ("a", _directory["models", "a.gguf"], 5, ModelSource.Directory),
            ("b-Q4_K_M", _directory["models", "deep", "er", "b-Q4_K_M.gguf"], 4, ModelSource.Directory));
    }

    [Test]
    public void Split_model_is_one_with_the_size_of_all_parts()
    {
        _directory.Write("models/big-00001-of-00003.gguf", "1");
        _directory.Write("models/big-00002-of-00003.gguf", "22");
        _directory.Write("models/big-00003-of-00003.gguf", "333");
        _directory.Write("models/headless-00002-of-00002.gguf", "4444");

        CatalogEntry entry = Models("models").Discover().Should().ContainSingle().Subject;

        entry.Name.Should().Be("big");
        entry.Bytes.Should().Be(6);
        entry.Path.Should().EndWith("big-00001-of-00003.gguf");
    }

    [TestCase("discover")]
    [TestCase("list")]
    [TestCase("find")]
    public async Task Asynchronous_search_does_not_hold_its_caller_and_its_wait_can_be_canceled(string call)
    {
        _directory.Write("models/a.gguf");
        using var places = new SlowPlaces(_directory["models"]);
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = places });
        places.Block();
        using var cancellation = new CancellationTokenSource();

        Task<string> searching = Search(CancellationToken.None);
        places.WaitForSearch();
        Task<string> canceled = Search(cancellation.Token);
        await cancellation.CancelAsync();

        await FluentActions.Awaiting(() => canceled).Should().ThrowAsync<OperationCanceledException>();
        searching.IsCompleted.Should().BeFalse();
        places.Unblock();
        (await searching).Should().Be("a");

        async Task<string> Search(CancellationToken token) => call switch
        {
            "discover" => (await catalog.DiscoverAsync(token)).Single().Name,
            "list" => (await catalog.ListAsync(token)).Single().Name,
            _ => (await catalog.FindAsync("a", token)).Name,
        };
    }

    [Test]
    public async Task Asynchronous_search_for_a_name_that_nothing_has_says_so()
    {
        ModelCatalog catalog = Models("models");

        await catalog.Awaiting(it => it.FindAsync("none")).Should().ThrowAsync<ModelNotFoundException>();
        await catalog.Awaiting(it => it.FindAsync(" ")).Should().ThrowAsync<ArgumentException>();
    }

    [TestCase("a")]
    [TestCase("a.gguf")]
    [TestCase("A.GGUF")]
    public void Directory_model_is_found_by_its_name_and_its_file(string name)
    {
        _directory.Write("models/a.gguf");

        Models("models").Find(name).Name.Should().Be("a");
    }

    [Test]
    public void Exact_name_comes_before_one_with_other_capitals()
    {
        _directory.Write("models/one/Tiny.gguf", "1");
        _directory.Write("models/two/tiny.gguf", "22");

        Models("models").Find("one/Tiny").Bytes.Should().Be(1);
        Models("models").Find("two/tiny").Bytes.Should().Be(2);
        Action ambiguous = () => Models("models").Find("tiny");
        ambiguous.Should().Throw<AmbiguousModelException>().WithMessage("*one/Tiny*two/tiny*").Which.Candidates.Should().HaveCount(2);
    }

    [Test]
    public void Same_file_names_in_two_directories_get_names_that_tell_them_apart()
    {
        _directory.Write("left/x.gguf", "1");
        _directory.Write("right/x.gguf", "22");

        Models("left", "right").Discover().Select(entry => entry.Name).Should().Equal("left/x", "right/x");
    }

    [Test]
    public void File_that_two_places_lead_to_is_there_once()
    {
        _directory.Write("models/x.gguf");
        File.CreateSymbolicLink(_directory["models", "y.gguf"], "x.gguf");
        Directory.CreateSymbolicLink(_directory["models", "again"], _directory["models"]);

        Models("models", "models").Discover().Should().ContainSingle().Which.Name.Should().Be("x");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    [UnsupportedOSPlatform("windows")]
    public void Links_in_circles_broken_links_and_unreadable_directories_are_passed_over()
    {
        _directory.Write("models/x.gguf");
        _directory.Write("models/closed/y.gguf");
        File.CreateSymbolicLink(_directory["models", "gone.gguf"], "nowhere.gguf");
        File.CreateSymbolicLink(_directory["models", "me.gguf"], "me.gguf");
        Directory.CreateSymbolicLink(_directory["models", "up"], _directory.Path);
        File.SetUnixFileMode(_directory["models", "closed"], UnixFileMode.None);
        try
        {
            Models("models", "missing").Discover().Should().Contain(entry => entry.Name == "x").And.NotContain(entry => entry.Name == "gone" || entry.Name == "me");
        }
        finally
        {
            File.SetUnixFileMode(_directory["models", "closed"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Test]
    public void File_may_be_named_directly_whatever_its_ending()
    {
        _directory.Write("blobs/sha256-abc");
        _directory.Write("blobs/sha256-def");

        Models("blobs/sha256-abc").Discover().Should().ContainSingle().Which.Name.Should().Be("sha256-abc");
    }

    [TestCase("org/repo:Q4_K_M", "org/repo:Q4_K_M")]
    [TestCase("ORG/repo:q8_0", "org/repo:Q8_0")]
    [TestCase("org/repo:repo-Q8_0.gguf", "org/repo:Q8_0")]
    [TestCase("repo-Q8_0", "org/repo:Q8_0")]
    [TestCase("org/other", "org/other/plain")]
    public void Hugging_face_model_is_found_by_repository_and_file(string name, string expected)
    {
        AddToHub("org/repo", Commit, "repo-Q4_K_M.gguf", "4");
        AddToHub("org/repo", Commit, "sub/repo-Q8_0.gguf", "8");
        AddToHub("org/other", Commit, "plain.gguf", "0");

        Hub().Find(name).Name.Should().Be(expected);
    }

    [Test]
    public void Repository_with_several_models_is_ambiguous()
    {
        AddToHub("org/repo", Commit, "repo-Q4_K_M.gguf", "4");
        AddToHub("org/repo", Commit, "repo-Q8_0.gguf", "8");

        Action find = () => Hub().Find("org/repo");

        find.Should().Throw<AmbiguousModelException>().WithMessage("*2 models: org/repo:Q4_K_M, org/repo:Q8_0*");
    }

    [Test]
    public void Snapshot_of_the_main_branch_counts()
    {
        string other = Commit.Replace('0', 'f');
        AddToHub("org/repo", other, "repo-Q4_K_M.gguf", "old one");
        AddToHub("org/repo", Commit, "repo-Q4_K_M.gguf", "new");
        _directory.Write("hub/models--org--repo/refs/main", Commit + "\n");

        CatalogEntry entry = Hub().Discover().Should().ContainSingle().Subject;

        entry.Path.Should().Contain(Commit);
        entry.Bytes.Should().Be(3);
    }

    [TestCase("llama3")]
    [TestCase("llama3:latest")]
    [TestCase("library/llama3:latest")]
    public void Ollama_model_is_found_by_name_and_tag(string name)
    {
        AddToOllama("registry.ollama.ai/library/llama3/latest", new string('a', 64), "12345");
        AddToOllama("registry.ollama.ai/library/llama3/70b", new string('b', 64), "1234567");
        AddToOllama("hf.co/org/repo/Q8_0", new string('c', 64), "123");

        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [], OllamaDirectories = [_directory["ollama"]] });

        catalog.Discover().Select(entry => entry.Name).Should().Equal("hf.co/org/repo:Q8_0", "llama3:70b", "llama3:latest");
        catalog.Find(name).Should().Match<CatalogEntry>(entry => entry.Name == "llama3:latest" && entry.Bytes == 5);
        catalog.Find("org/repo:q8_0").Bytes.Should().Be(3);
    }

    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("""{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../../secret"}]}""")]
    [TestCase("""{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":7}]}""")]
    [TestCase("""{"layers":[{"mediaType":"application/vnd.ollama.image.projector","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}""")]
    public void Ollama_manifest_that_names_no_blob_is_passed_over(string manifest)
    {
        _directory.Write("secret");
        _directory.Write("ollama/blobs/sha256-" + new string('a', 64));
        _directory.Write("ollama/manifests/registry.ollama.ai/library/evil/latest", manifest);

        new ModelCatalog(new ModelCatalogOptions { Paths = [], OllamaDirectories = [_directory["ollama"]] }).Discover().Should().BeEmpty();
    }

    [Test]
    public void Lm_studio_model_has_the_name_of_its_repository()
    {
        _directory.Write("lm/publisher/repo-GGUF/model-Q6_K.gguf");
        _directory.Write("lm/loose.gguf");

        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [], LmStudioDirectories = [_directory["lm"]] });

        catalog.Discover().Select(entry => entry.Name).Should().Equal("loose", "publisher/repo-GGUF:Q6_K");
        catalog.Find("publisher/repo-GGUF").Source.Should().Be(ModelSource.LmStudio);
    }

    [Test]
    public void Copy_in_another_store_is_not_a_second_model()
    {
        AddToHub("org/repo", Commit, "repo-Q4_K_M.gguf", "same");
        _directory.Write("lm/org/repo/repo-Q4_K_M.gguf", "same");

        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [], HuggingFaceCache = _directory["hub"], LmStudioDirectories = [_directory["lm"]] });

        catalog.Find("org/repo").Source.Should().Be(ModelSource.HuggingFace);
    }

    [TestCase("../secret")]
    [TestCase("../secret.gguf")]
    [TestCase("models/../../secret")]
    [TestCase("/etc/passwd")]
    [TestCase("x.gguf/../../secret.gguf")]
    [TestCase("secret\0")]
    public void Name_never_becomes_a_path(string name)
    {
        _directory.Write("secret.gguf");
        _directory.Write("models/x.gguf");

        Action find = () => Models("models").Find(name);

        find.Should().Throw<ModelNotFoundException>();
    }

    [Test]
    public void Absolute_path_of_a_known_model_is_not_a_name()
    {
        string path = _directory.Write("models/x.gguf");

        Action find = () => Models("models").Find(path);

        find.Should().Throw<ModelNotFoundException>();
    }

    [Test]
    public void Unknown_name_is_looked_for_again_but_not_at_each_request()
    {
        var clock = new ManualClock();
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [_directory["models"]] }, clock);
        Action find = () => catalog.Find("late");
        find.Should().Throw<ModelNotFoundException>();
        _directory.Write("models/late.gguf");

        find.Should().Throw<ModelNotFoundException>("it was searched a moment ago");
        clock.Advance(TimeSpan.FromSeconds(3));

        find.Should().NotThrow();
    }

    [Test]
    public async Task Known_name_is_found_while_a_search_takes_its_time()
    {
        _directory.Write("models/a.gguf");
        var clock = new ManualClock();
        using var places = new SlowPlaces(_directory["models"]);
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = places }, clock);
        catalog.Discover();
        clock.Advance(TimeSpan.FromSeconds(3));
        places.Block();
        Task<IReadOnlyList<CatalogEntry>> list = Task.Run(catalog.List);
        places.WaitForSearch();

        CatalogEntry found = await Task.Run(() => catalog.Find("a")).WaitAsync(TimeSpan.FromSeconds(30));

        found.Name.Should().Be("a");
        list.IsCompleted.Should().BeFalse();
        places.Unblock();
        (await list).Should().Equal(found);
    }

    [Test]
    public async Task Unknown_names_that_are_asked_for_at_once_share_a_search()
    {
        var clock = new ManualClock();
        using var places = new SlowPlaces(_directory["models"]);
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = places }, clock);
        places.Block();
        Task[] asks = [.. Enumerable.Range(0, 8).Select(number => Task.Factory.StartNew(
            () => catalog.Invoking(it => it.Find($"unknown {number}")).Should().Throw<ModelNotFoundException>(), TaskCreationOptions.LongRunning))];
        places.WaitForSearch();

        places.Unblock();
        await Task.WhenAll(asks).WaitAsync(TimeSpan.FromSeconds(30));

        places.Searches.Should().Be(1);
    }

    [Test]
    public void List_searches_at_most_every_two_seconds()
    {
        var clock = new ManualClock();
        using var places = new SlowPlaces(_directory["models"]);
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = places }, clock);
        catalog.List().Should().BeEmpty();
        _directory.Write("models/late.gguf");

        catalog.List().Should().BeEmpty();
        places.Searches.Should().Be(1);
        clock.Advance(TimeSpan.FromSeconds(3));

        catalog.List().Should().ContainSingle().Which.Name.Should().Be("late");
        places.Searches.Should().Be(2);
    }

    [TestCase("gpt-oss")]
    [TestCase("gtp-os-20b-mxfp4")]
    public void Error_suggests_names_that_are_close(string name)
    {
        _directory.Write("models/gpt-oss-20b-mxfp4.gguf");

        Action find = () => Models("models").Find(name);

        find.Should().Throw<ModelNotFoundException>().WithMessage($"There is no model '{name}'. Did you mean gpt-oss-20b-mxfp4?");
    }

    [TestCase(0, "No models were found; *")]
    [TestCase(1, "One other model was found; *")]
    [TestCase(2, "2 other models were found; *")]
    public void Error_says_how_many_models_there_are(int count, string message)
    {
        for (int i = 0; i < count; i++)
        {
            _directory.Write($"models/something{i}.gguf");
        }

        Action find = () => Models("models").Find("qwen");

        find.Should().Throw<ModelNotFoundException>().WithMessage($"There is no model 'qwen'. {message}");
    }

    [Test]
    public void Environment_says_where_to_look()
    {
        var variables = new Dictionary<string, string>
        {
            ["HOME"] = "/home/me",
            ["SHIMMY_BASE_GGUF"] = "/base.gguf",
            ["SHIMMY_MODEL_PATHS"] = "/one;/two",
            ["HF_HOME"] = "/hf",
            ["OLLAMA_MODELS"] = "/ollama",
        };

        var options = ModelCatalogOptions.FromEnvironment(variables.GetValueOrDefault);

        options.Paths.Should().Equal("/base.gguf", "./models", "/one", "/two");
        options.HuggingFaceCache.Should().Be(Path.Combine("/hf", "hub"));
        options.OllamaDirectories.Should().Equal("/ollama");
        options.LmStudioDirectories.Should().StartWith(Path.Combine("/home/me", ".lmstudio", "models"));
        variables["HUGGINGFACE_HUB_CACHE"] = "/cache";
        ModelCatalogOptions.FromEnvironment(variables.GetValueOrDefault).HuggingFaceCache.Should().Be("/cache");
        ModelCatalogOptions.FromEnvironment(name => name == "HOME" ? "/home/me" : null).HuggingFaceCache
            .Should().Be(Path.Combine("/home/me", ".cache", "huggingface", "hub"));
    }

    private ModelCatalog Models(params string[] directories) =>
        new(new ModelCatalogOptions { Paths = [.. directories.Select(directory => _directory[directory])] });

    private ModelCatalog Hub() => new(new ModelCatalogOptions { Paths = [], HuggingFaceCache = _directory["hub"] });

    // As Hugging Face's tools do: a blob, and a relative link to it in the snapshot.
    private void AddToHub(string repository, string commit, string file, string content)
    {
        string root = "hub/models--" + repository.Replace("/", "--", StringComparison.Ordinal);
        string blob = _directory.Write($"{root}/blobs/{Guid.NewGuid():N}", content);
        string link = _directory[root, "snapshots", commit, file];
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, blob));
    }

    private void AddToOllama(string manifest, string hash, string content)
    {
        _directory.Write("ollama/blobs/sha256-" + hash, content);
        _directory.Write(
            "ollama/manifests/" + manifest,
            $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.template","digest":"sha256:{{new string('0', 64)}}"},{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{{hash}}","size":{{content.Length}}}]}""");
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _now += time.Ticks;

        public override long GetTimestamp() => _now;
    }

    /// <summary>Places whose search can be held up, as on a slow disk.</summary>
    private sealed class SlowPlaces(string path) : IReadOnlyList<string>, IDisposable
    {
        private readonly ManualResetEventSlim _isOpen = new(true);
        private readonly SemaphoreSlim _begun = new(0);
        private int _searches;

        public int Searches => Volatile.Read(ref _searches);

        public int Count => 1;

        public string this[int index] => path;

        public void Block()
        {
            _isOpen.Reset();
            while (_begun.Wait(0))
            {
            }
        }

        public void Unblock() => _isOpen.Set();

        public void WaitForSearch() => _begun.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue();

        public IEnumerator<string> GetEnumerator()
        {
            Interlocked.Increment(ref _searches);
            _begun.Release();
            _isOpen.Wait();
            yield return path;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public void Dispose()
        {
            _isOpen.Dispose();
            _begun.Dispose();
        }
    }
}

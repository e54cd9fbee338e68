using System.CommandLine;
using FluentAssertions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Gguf;
using MoeOffload.Server;
using MoeOffload.Shared;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Options;

/// <summary>Checks how options are passed to the library, with llama.cpp's names and with the long ones.</summary>
[TestFixture]
public sealed class OptionTests
{
    private readonly GlobalOptions _global = new();
    private readonly LoadArguments _load;
    private readonly ContextArguments _context = new(hasDraftModel: true);
    private readonly SamplingArguments _sampling = new();
    private readonly ServeArguments _serve = new();
    private readonly AdapterArguments _adapters = new();
    private readonly AnswerArguments _answer = new(usualTokens: -1);
    private readonly RootCommand _root = new();

    public OptionTests()
    {
        _load = new LoadArguments(_global);
        var command = new Command("try");
        _global.AddTo(_root);
        _load.AddTo(command);
        _context.AddTo(command);
        _sampling.AddTo(command);
        _adapters.AddTo(command);
        _answer.AddTo(command);
        command.SetAction((_, _) => Task.FromResult(0));
        _root.Subcommands.Add(command);
        var serve = new Command("serve");
        _serve.AddTo(serve);
        serve.SetAction((_, _) => Task.FromResult(0));
        _root.Subcommands.Add(serve);
    }

    [TestCase("-ngl", "12")]
    [TestCase("--n-gpu-layers", "12")]
    [TestCase("--gpu-layers=12")]
    public void Gpu_layers(params string[] words) => Load(words).GpuLayers.Should().Be(12);

    [TestCase("all")]
    [TestCase("auto")]
    [TestCase("-1")]
    public void All_gpu_layers(string value) => Load("-ngl", value).GpuLayers.Should().BeNull();

    [Test]
    public void Placement_rules_keep_the_order_of_the_command_line()
    {
        Load("-ot", @"blk\.0\.=CUDA0", "--cpu-moe", "-ot", "attn=CPU,output=RPC0").Placement.ToString()
            .Should().Be(TensorPlacement.Parse(@"-ot blk\.0\.=CUDA0 --cpu-moe -ot attn=CPU,output=RPC0").ToString());
        Load("-ncmoe", "3", "--override-tensor=exps=CPU").Placement.ToString()
            .Should().Be(TensorPlacement.Parse("--n-cpu-moe 3 -ot exps=CPU").ToString());
    }

    [Test]
    public void Placement_options_may_stand_before_the_command() =>
        Parse(["--cpu-moe", "try"], parsed => _load.Read(parsed)).Placement.Should().Be(TensorPlacement.ExpertsToCpu());

    [Test]
    public void Rpc_servers_and_devices_are_lists()
    {
        ModelOptions options = Load("--rpc", "a:1,b:2", "-dev", "CUDA0,RPC0", "-sm", "row", "-ts", "3,1", "-mg", "1");

        options.RpcServers.Should().Equal("a:1", "b:2");
        options.Devices.Should().Equal("CUDA0", "RPC0");
        options.SplitMode.Should().Be(SplitMode.Row);
        options.TensorSplit.Should().Equal(3, 1);
        options.MainGpu.Should().Be(1);
        Load("--device", "none").Devices.Should().BeEmpty();
    }

    [TestCase(LoadMode.Auto)]
    [TestCase(LoadMode.None, "--no-mmap")]
    [TestCase(LoadMode.MmapMlock, "--mlock")]
    [TestCase(LoadMode.Mlock, "--mlock", "--no-mmap")]
    [TestCase(LoadMode.DirectIo, "-dio")]
    public void Load_mode(LoadMode expected, params string[] words) => Load(words).LoadMode.Should().Be(expected);

    [Test]
    public void Memory_of_experts_has_units()
    {
        Load("--expert-memory", "8GiB").Experts.Should().Be(ExpertStorage.Limit(8L << 30));
        Load().Experts.Should().BeNull();
        FluentActions.Invoking(() => Load("--expert-memory", "much")).Should().Throw<UsageException>().WithMessage("*a size such as 8GiB*");
        FluentActions.Invoking(() => Load("--expert-memory", "8GiB", "--mlock")).Should().Throw<UsageException>().WithMessage("*leave them out*");
        MemberNames.Translate("The limit of ModelOptions.Experts is low.").Should().Be("The limit of --expert-memory is low.");
    }

    [Test]
    public void Context_has_llama_cpps_spellings()
    {
        ContextOptions options = Context("-c", "4096", "-b", "1024", "-ub", "256", "-t", "3", "-tb", "4", "-ctk", "q8_0", "-ctv", "Q4_0", "-fa", "on", "-nkvo");

        options.ContextLength.Should().Be(4096);
        options.BatchSize.Should().Be(1024);
        options.MicroBatchSize.Should().Be(256);
        options.Threads.Should().Be(new ThreadOptions { Decode = 3, Prompt = 4 });
        options.KvCache.Should().Be(new KvCacheOptions { KeyType = GgmlType.Q8_0, ValueType = GgmlType.Q4_0, Offload = false });
        options.FlashAttention.Should().Be(FlashAttention.On);
    }

    [Test]
    public void Threads_leave_cores_and_time_to_other_programs()
    {
        Context("--threads-priority", "below-normal", "--reserve-cores", "2").Threads
            .Should().Be(new ThreadOptions { Priority = ComputePriority.BelowNormal, ReservedCores = 2 });
        Context("--compute-budget", "4/16.7").Threads.Budget
            .Should().Be(new ComputeBudget(TimeSpan.FromMilliseconds(4), TimeSpan.FromMilliseconds(16.7)));
        Context("--compute-budget", "25%").Threads.Budget.Should().Be(ComputeBudget.FromShare(0.25));
        Context().Threads.Should().Be(new ThreadOptions());
    }

    [TestCase("4")]
    [TestCase("0%")]
    [TestCase("101%")]
    [TestCase("NaN%")]
    [TestCase("4/")]
    [TestCase("20/16.7")]
    [TestCase("1/1e99")]
    [TestCase("0/16")]
    public void Compute_budget_that_is_not_valid_is_refused(string value)
    {
        Action parse = () => Context("--compute-budget", value);

        parse.Should().Throw<UsageException>().WithMessage("*--compute-budget*4/16.7*25%*");
    }

    [Test]
    public void Speculation_has_llama_cpps_spellings_and_is_off_unless_said()
    {
        Context().Speculation.Should().BeNull();
        Context("--spec-type", "none", "--spec-draft-n-max", "4").Speculation.Should().BeNull();
        Context("--spec-type", "ngram-simple").Speculation.Should().Be(new SpeculationOptions());
        Context("--spec-type", "draft-mtp", "--spec-draft-n-max", "3").Speculation
            .Should().Be(new SpeculationOptions { UseMtpLayers = true, MaxDraftTokens = 3 });
    }

    [TestCase(4, true)]
    [TestCase(8, false, "-np", "8")]
    [TestCase(8, true, "-np", "8", "-kvu")]
    [TestCase(4, false, "--no-kv-unified")]
    public void Kv_cache_is_shared_unless_it_is_said_how_many_share_it(int sequences, bool isUnified, params string[] words)
    {
        ContextOptions context = Serve(words).Models.Context;

        context.SequenceCount.Should().Be(sequences);
        context.KvCache.Unified.Should().Be(isUnified);
    }

    [Test]
    public void Kv_cache_is_not_shared_and_divided()
    {
        Action parse = () => Serve("-kvu", "-no-kvu");

        parse.Should().Throw<UsageException>().WithMessage("*cannot be combined*");
    }

    [Test]
    public void Sampling_has_llama_cpps_spellings()
    {
        SamplingOptions options = Sampling("--temp", "0.5", "--top-k", "10", "--top-p", "0.9", "--min-p", "0.1", "-s", "42", "--repeat-penalty", "1.1");

        options.Should().BeEquivalentTo(new SamplingOptions
        {
            Temperature = 0.5f,
            TopK = 10,
            TopP = 0.9f,
            MinP = 0.1f,
            Seed = 42,
            Penalties = new PenaltiesSampler { Repeat = 1.1f },
        });
        Sampling("--seed", "-1").Seed.Should().BeNull();
    }

    [TestCase("serve", "--shutdown-grace", "0")]
    [TestCase("serve", "--shutdown-grace", "86401")]
    [TestCase("serve", "--request-timeout", "0")]
    [TestCase("serve", "--request-timeout", "100000")]
    [TestCase("serve", "--idle-unload", "0")]
    [TestCase("serve", "--memory-limit", "0")]
    [TestCase("serve", "--cors-origin", "example.org")]
    [TestCase("serve", "--cors-origin", "https://example.org/page")]
    [TestCase("serve", "--api-key", " ")]
    [TestCase("try", "--tensor-split", "0,0")]
    [TestCase("try", "--tensor-split", "3,-1")]
    [TestCase("try", "--device", "CUDA0,cuda0")]
    [TestCase("try", "--device", ",")]
    public void Value_that_the_library_would_refuse_is_refused_with_the_options_name(string command, string option, string value)
    {
        Action parse = () => MoeCommand.Parse(_root, [command, option, value], _ => null);

        parse.Should().Throw<UsageException>().WithMessage($"{option} is '{value}', but must be *");
    }

    [Test]
    public void Times_at_the_ends_of_their_ranges_are_what_the_server_takes()
    {
        MoeServerOptions shortest = Serve("--shutdown-grace", "0.1", "--request-timeout", "0.1", "--idle-unload", "0.1");
        MoeServerOptions longest = Serve("--shutdown-grace", "86400", "--request-timeout", "86400", "--idle-unload", "1e9");

        foreach (MoeServerOptions options in new[] { shortest, longest })
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddMoeOffload(new ModelCatalog(new ModelCatalogOptions { Paths = [] }), configured =>
            {
                configured.Limits.ShutdownGrace = options.Limits.ShutdownGrace;
                configured.Limits.RequestTimeout = options.Limits.RequestTimeout;
                configured.Models.IdleUnload = options.Models.IdleUnload;
            });
            using ServiceProvider provider = services.BuildServiceProvider();
            provider.Invoking(it => it.GetRequiredService<IOptions<MoeServerOptions>>().Value).Should().NotThrow();
        }
    }

    [Test]
    public void Quantized_values_need_flash_attention()
    {
        Action parse = () => Context("-ctv", "q8_0", "-fa", "off");

        parse.Should().Throw<UsageException>().WithMessage("--cache-type-v q8_0 requires flash attention*");
        Context("-ctv", "f16", "-fa", "off").KvCache.ValueType.Should().Be(GgmlType.F16);
    }

    [TestCase("nonsense")]
    [TestCase("[]")]
    public void Schema_that_is_not_valid_is_refused_with_the_options_name(string schema)
    {
        Action read = () => Parse(["try", "--json-schema", schema], _sampling.ReadSchema);

        read.Should().Throw<UsageException>().WithMessage("--json-schema: *");
    }

    [TestCase("24GiB", 24L << 30)]
    [TestCase("1.5G", 3L << 29)]
    [TestCase("8000MB", 8_000_000_000)]
    [TestCase("4096", 4096)]
    [TestCase("12 KiB", 12 << 10)]
    public void Sizes_have_units(string text, long expected) => ByteSize.TryParse(text).Should().Be(expected);

    [TestCase("")]
    [TestCase("GiB")]
    [TestCase("-1G")]
    [TestCase("0")]
    [TestCase("1 parsec")]
    [TestCase("99999999999T")]
    public void Text_that_is_not_a_size_is_rejected(string text) => ByteSize.TryParse(text).Should().BeNull();

    [TestCase("127.0.0.1:8080", "http://127.0.0.1:8080")]
    [TestCase("localhost:80", "http://localhost:80")]
    [TestCase("[::1]:8080", "http://[::1]:8080")]
    [TestCase("http://127.0.0.1:8080/", "http://127.0.0.1:8080")]
    [TestCase("*:8080", "http://*:8080")]
    public void Address_is_host_and_port(string bind, string expected) => BindAddress.Choose(bind, null, _ => null).Should().Be(expected);

    [TestCase("8080")]
    [TestCase("localhost")]
    [TestCase("localhost:")]
    [TestCase("localhost:99999")]
    [TestCase("a b:80")]
    [TestCase(":80")]
    public void Text_that_is_not_an_address_is_rejected(string bind)
    {
        Action choose = () => BindAddress.Choose(bind, null, _ => null);

        choose.Should().Throw<UsageException>().WithMessage("*HOST:PORT*");
    }

    [Test]
    public void Automatic_address_is_the_variables_where_there_is_one()
    {
        static string? Variable(string name) => name == "SHIMMY_BIND_ADDRESS" ? "127.0.0.1:9999" : null;

        BindAddress.Choose("auto", null, Variable).Should().Be("http://127.0.0.1:9999");
        BindAddress.Choose(null, null, Variable).Should().Be("http://127.0.0.1:9999");
        BindAddress.Choose("127.0.0.1:1", null, Variable).Should().Be("http://127.0.0.1:1");
        BindAddress.Choose(null, "localhost:2", Variable).Should().Be("http://localhost:2");
    }

    [TestCase("1", FlashAttention.On)]
    [TestCase("0", FlashAttention.Off)]
    [TestCase("on", FlashAttention.On)]
    [TestCase("auto", FlashAttention.Auto)]
    public void Flash_attention_is_set_by_the_words_of_llama_cpp(string word, FlashAttention expected) => Context("-fa", word).FlashAttention.Should().Be(expected);

    [Test]
    public void Server_has_further_names_for_models_and_can_be_strict()
    {
        MoeServerOptions options = Serve("--alias", "gpt-4o,mine", "--alias", "other=qwen", "--fallback-model", "qwen", "--strict-requests", "--reasoning-format", "none", "--allow-model-changes");

        options.Models.Aliases.Should().Equal(new Dictionary<string, string> { ["gpt-4o"] = "preloaded", ["mine"] = "preloaded", ["other"] = "qwen" });
        options.Models.FallbackModel.Should().Be("qwen");
        options.Models.AllowChanges.Should().BeTrue();
        options.Requests.Strict.Should().BeTrue();
        options.Requests.ReasoningFormat.Should().Be(ReasoningFormat.InContent);
        options.Requests.TranslateMessage!("Increase ContextOptions.ContextLength.").Should().Be("Increase --ctx-size.");
    }

    [Test]
    public void Chat_template_is_a_text_or_a_file()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "template.jinja");
        File.WriteAllText(path, "{{ messages }}");
        Load("--chat-template", "chatml").ChatTemplate.Should().Be("chatml");
        Load("--chat-template-file", path).ChatTemplate.Should().Be("{{ messages }}");
    }

    [Test]
    public void Projector_is_found_named_or_left_out()
    {
        Load().Should().BeEquivalentTo(new { ProjectorPath = (string?)null, FindProjector = true, ProjectorOnDevice = true, MaxImageTokens = (int?)null });
        Load("--mmproj", "a.gguf", "--no-mmproj-offload", "--image-max-tokens", "256")
            .Should().BeEquivalentTo(new { ProjectorPath = "a.gguf", ProjectorOnDevice = false, MaxImageTokens = 256 });
        Load("--no-mmproj").FindProjector.Should().BeFalse();
        FluentActions.Invoking(() => Load("--mmproj", "a.gguf", "--no-mmproj")).Should().Throw<UsageException>().WithMessage("*cannot be combined*");
    }

    [Test]
    public void Metadata_is_replaced_as_in_llama_cpp()
    {
        ModelOptions options = Load("--override-kv", "tokenizer.ggml.add_bos_token=bool:false,qwen3moe.expert_used_count=int:4", "--override-kv", "a.b=float:0.5", "--override-kv", "general.name=str:one, two=three");

        options.MetadataOverrides.Should().Equal(new Dictionary<string, MetadataValue>
        {
            ["tokenizer.ggml.add_bos_token"] = false,
            ["qwen3moe.expert_used_count"] = 4L,
            ["a.b"] = 0.5,
            ["general.name"] = "one, two=three",
        });
    }

    [TestCase("key")]
    [TestCase("key=value")]
    [TestCase("key=int:1.5")]
    [TestCase("key=bool:yes")]
    [TestCase("=int:1")]
    [TestCase("a=int:1,b=array:2")]
    public void Metadata_that_is_not_valid_is_refused(string value)
    {
        Action parse = () => Load("--override-kv", value);

        parse.Should().Throw<UsageException>().WithMessage($"--override-kv is '{value}', but must be KEY=TYPE:VALUE*");
    }

    [Test]
    public void Adapters_have_llama_cpps_spellings()
    {
        Parse(["try", "--lora", "a.gguf,b.gguf", "--lora-scaled", "c.gguf:0.5,C:\\d.gguf:-1"], _adapters.Read)
            .Should().Equal(new AdapterFile("a.gguf"), new AdapterFile("b.gguf"), new AdapterFile("c.gguf", 0.5f), new AdapterFile("C:\\d.gguf", -1));
        Action parse = () => Parse(["try", "--lora-scaled", "c.gguf"], _adapters.Read);
        parse.Should().Throw<UsageException>().WithMessage("--lora-scaled is 'c.gguf', but must be PATH:SCALE*");
    }

    [Test]
    public void Longer_contexts_have_llama_cpps_spellings()
    {
        Context("--rope-scaling", "yarn", "--rope-scale", "4", "--yarn-orig-ctx", "32768", "--yarn-ext-factor", "-1", "--yarn-attn-factor", "1.5", "--yarn-beta-fast", "32", "--yarn-beta-slow", "1", "--rope-freq-base", "1000000").Rope
            .Should().Be(new RopeOptions
            {
                Scaling = RopeScaling.Yarn,
                FrequencyScale = 0.25f,
                FrequencyBase = 1_000_000,
                YarnOriginalContextLength = 32768,
                YarnAttentionFactor = 1.5f,
                YarnBetaFast = 32,
                YarnBetaSlow = 1,
            });
        Context("--rope-freq-scale", "0.5").Rope.FrequencyScale.Should().Be(0.5f);
        Context().Rope.Should().Be(new RopeOptions());
        Action parse = () => Context("--rope-scale", "2", "--rope-freq-scale", "0.5");
        parse.Should().Throw<UsageException>().WithMessage("*cannot be combined*");
    }

    [TestCase("-md")]
    [TestCase("--model-draft")]
    [TestCase("--spec-draft-model")]
    public void Draft_model_has_llama_cpps_spellings(string option)
    {
        Parse(["try", option, "small"], _context.DraftModel).Should().Be("small");
        Context(option, "small", "--spec-draft-n-max", "5").Speculation.Should().Be(new SpeculationOptions { MaxDraftTokens = 5 });
        FluentActions.Invoking(() => Context(option, "small", "--spec-type", "draft-mtp")).Should().Throw<UsageException>().WithMessage("*draft-simple*");
        FluentActions.Invoking(() => Context("--spec-type", "draft-simple")).Should().Throw<UsageException>().WithMessage("*--spec-draft-model*");
    }

    [Test]
    public void Full_context_stops_shifts_or_leaves_out_turns()
    {
        ChatOptions usual = Chat();
        usual.ContextFull.Should().Be(ContextFullAction.Stop);
        usual.Overflow.Should().Be(ChatOverflow.OmitOldestTurns);
        Chat("--no-context-shift").ContextFull.Should().Be(ContextFullAction.Stop);
        Chat("--context-shift", "--keep", "64", "--chat-overflow", "error").Should()
            .Match<ChatOptions>(it => it.ContextFull == ContextFullAction.Shift && it.KeepTokens == 64 && it.Overflow == ChatOverflow.Error);
        Serve().Requests.Should().Match<RequestDefaults>(it => !it.ContextShift && it.Overflow == ChatOverflow.Error);
        Serve("--context-shift", "--chat-overflow", "omit").Requests.Should().Match<RequestDefaults>(it => it.ContextShift && it.Overflow == ChatOverflow.OmitOldestTurns);
        FluentActions.Invoking(() => Chat("--context-shift", "--no-context-shift")).Should().Throw<UsageException>();

        ChatOptions Chat(params string[] words) => Parse(["try", .. words], parsed => _answer.Chat(parsed, new SamplingOptions(), null));
    }

    [TestCase("--grammar")]
    [TestCase("--grammar-file")]
    public void Grammar_that_is_not_valid_is_refused_with_the_options_name(string option)
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "bad.gbnf");
        File.WriteAllText(path, "root ::= (");
        Action read = () => Sampling(option, option == "--grammar" ? "root ::= (" : path);

        read.Should().Throw<UsageException>().Which.Message.Should().StartWith($"{option}: ").And.NotContain("Grammar");
    }

    [Test]
    public void Completions_are_the_words_that_are_accepted()
    {
        Complete("--cache-type-k").Should().BeEquivalentTo("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1");
        Complete("--flash-attn").Should().BeEquivalentTo("auto", "on", "off");
        Complete("--split-mode").Should().BeEquivalentTo("layer", "none", "row", "tensor");

        IEnumerable<string> Complete(string option) => _root.Subcommands.First().Options.Single(it => it.Name == option)
            .GetCompletions(System.CommandLine.Completions.CompletionContext.Empty).Select(item => item.Label);
    }

    private ModelOptions Load(params string[] words) => Parse(["try", .. words], _load.Read);

    private ContextOptions Context(params string[] words) => Parse(["try", .. words], parsed => _context.Read(parsed, new ContextOptions()));

    private SamplingOptions Sampling(params string[] words) => Parse(["try", .. words], _sampling.Read);

    private MoeServerOptions Serve(params string[] words)
    {
        var options = new MoeServerOptions();
        Parse(["serve", .. words], parsed => _serve.Read(parsed, "preloaded"))(options);
        return options;
    }

    private T Parse<T>(string[] words, Func<ParseResult, T> read) => read(MoeCommand.Parse(_root, words, _ => null));
}

using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Hosting.Settings;
using NUnit.Framework;

namespace MoeOffload.Hosting.Tests;

/// <summary>The keys of the configuration.</summary>
[TestFixture]
public sealed partial class SettingTests
{
    // Each value differs from the default.
    private static readonly Dictionary<string, string> s_values = new()
    {
        ["Model"] = DemoModel.Path,
        ["Loading"] = "onfirstuse",
        ["ModelDirectories"] = "/models;/more",
        ["Placement"] = @"blk\.0\.=CPU",
        ["CpuMoe"] = "True",
        ["CpuMoeLayers"] = "3",
        ["Fit"] = "true",
        ["FitMargin"] = "1GiB",
        ["StrictPlacement"] = "true",
        ["GpuLayers"] = "2",
        ["Devices"] = "none",
        ["RequireDevice"] = "*",
        ["RpcServers"] = "a:1, b:2",
        ["SplitMode"] = "row",
        ["TensorSplit"] = "3,1",
        ["MainGpu"] = "1",
        ["LoadMode"] = "None",
        ["Repack"] = "false",
        ["PinnedHostMemory"] = "false",
        ["ExpertMemory"] = "8GiB",
        ["ValidateTensors"] = "true",
        ["MetadataOverrides:tokenizer.ggml.add_bos_token"] = "bool:false",
        ["ChatTemplate"] = "chatml",
        ["ChatTemplateFile"] = "template.jinja",
        ["Projector"] = "mmproj.gguf",
        ["FindProjector"] = "false",
        ["ProjectorOnDevice"] = "false",
        ["MaxImageTokens"] = "256",
        ["NativeLibraryDirectory"] = "/native",
        ["ContextLength"] = "4096",
        ["SequenceCount"] = "4",
        ["UnifiedKvCache"] = "true",
        ["QueueLimit"] = "8",
        ["BatchSize"] = "512",
        ["MicroBatchSize"] = "256",
        ["Threads"] = "3",
        ["PromptThreads"] = "2",
        ["ThreadPriority"] = "BelowNormal",
        ["ReservedCores"] = "1",
        ["ComputeBudget"] = "25%",
        ["KeyCacheType"] = "q8_0",
        ["ValueCacheType"] = "Q8_0",
        ["KvOffload"] = "false",
        ["OpOffload"] = "false",
        ["FlashAttention"] = "on",
        ["PrefixCacheMemory"] = "1GiB",
        ["CountExperts"] = "true",
        ["RopeScaling"] = "yarn",
        ["RopeScale"] = "4",
        ["RopeFrequencyScale"] = "0.25",
        ["RopeFrequencyBase"] = "1000000",
        ["YarnOriginalContextLength"] = "8192",
        ["YarnExtrapolationFactor"] = "0.5",
        ["YarnAttentionFactor"] = "1",
        ["YarnBetaSlow"] = "1",
        ["YarnBetaFast"] = "32",
        ["Speculation"] = "Mtp",
        ["DraftModel"] = "small.gguf",
        ["MaxDraftTokens"] = "4",
        ["Adapters:0"] = "a.gguf:0.5",
        ["ModelId"] = "assistant",
        ["KeptConversations"] = "10",
        ["MaxTokens"] = "100",
        ["Reasoning"] = "false",
        ["ChatOverflow"] = "Error",
        ["ContextShift"] = "true",
        ["Temperature"] = "0.2",
        ["TopK"] = "7",
        ["TopP"] = "0.5",
        ["MinP"] = "0.2",
        ["RepeatPenalty"] = "1.1",
        ["PresencePenalty"] = "0.1",
        ["FrequencyPenalty"] = "0.1",
        ["Seed"] = "42",
        ["Embeddings"] = "true",
        ["EmbeddingPooling"] = "Cls",
        ["EmbeddingContextLength"] = "128",
        ["Generation"] = "false",
    };

    private static IEnumerable<string> Keys => SettingTable.All.Select(setting => setting.Key);

    [TestCaseSource(nameof(Keys))]
    public void Key_sets_its_option_and_nothing_else(string key)
    {
        using var directory = new TemporaryDirectory();
        (string Key, string Value)[] settings = key is "EmbeddingPooling" or "EmbeddingContextLength"
            ? [("Embeddings", "true"), (key, s_values[key])]
            : [.. s_values.Where(pair => pair.Key.Split(':')[0] == key).Select(pair => (pair.Key, key == "ChatTemplateFile" ? directory.Write("chat.jinja", "{{ messages }}") : pair.Value))];
        settings.Should().NotBeEmpty("every key has a value here");

        HostedModelOptions options = Read(settings);

        options.Faults.Should().BeEmpty();
        var initial = new HostedModelOptions();
        int changed = new[]
        {
            options.Model != initial.Model,
            options.Loading != initial.Loading,
            !options.Catalog.Paths.SequenceEqual(initial.Catalog.Paths),
            options.Load with { MetadataOverrides = initial.Load.MetadataOverrides } != initial.Load || options.Load.MetadataOverrides.Count > 0,
            options.Fit != initial.Fit,
            options.FitMargin != initial.FitMargin,
            options.Context != initial.Context,
            options.Companions != initial.Companions,
            options.ChatClient with { Defaults = initial.ChatClient.Defaults } != initial.ChatClient
                || options.ChatClient.Defaults with { TemplateArguments = initial.ChatClient.Defaults.TemplateArguments } != initial.ChatClient.Defaults,
            options.Embedding != initial.Embedding,
        }.Count(isChanged => isChanged);
        changed.Should().Be(key == "Speculation" ? 2 : 1, "layers for multi-token prediction are loaded if they draft");
    }

    [Test]
    public void Values_arrive_as_the_command_would_read_them()
    {
        HostedModelOptions options = Read(
            ("Placement", @"blk\.0\.=CPU"), ("CpuMoe", "true"), ("GpuLayers", "all"), ("Devices:0", "CUDA0"), ("Devices:1", "CUDA1"), ("TensorSplit", "3,1"),
            ("ExpertMemory", "8GiB"), ("MetadataOverrides:a.b", "int:4"), ("KeyCacheType", "q8_0"), ("ComputeBudget", "4/16"), ("RopeScale", "4"), ("Seed", "-1"),
            ("Adapters:0", "a.gguf:0.5"), ("Adapters:1", @"C:\b.gguf"), ("Threads", "3"), ("Temperature", "0.5"), ("UnifiedKvCache", "true"));

        options.Faults.Should().BeEmpty();
        options.Load.Placement.Should().Be(TensorPlacement.Parse(@"blk\.0\.=CPU").Then(TensorPlacement.ExpertsToCpu()));
        options.Load.GpuLayers.Should().BeNull();
        options.Load.Devices.Should().Equal("CUDA0", "CUDA1");
        options.Load.TensorSplit.Should().Equal(3, 1);
        options.Load.Experts.Should().Be(ExpertStorage.Limit(8L << 30));
        options.Load.MetadataOverrides.Should().ContainKey("a.b").WhoseValue.Should().Be(MetadataValue.From(4L));
        options.Context!.KvCache.Should().Be(new KvCacheOptions { KeyType = GgmlType.Q8_0, Unified = true });
        options.Context.Threads.Should().Be(new ThreadOptions { Decode = 3, Budget = new ComputeBudget(TimeSpan.FromMilliseconds(4), TimeSpan.FromMilliseconds(16)) });
        options.Context.Rope.FrequencyScale.Should().Be(0.25f);
        options.Companions.Adapters.Should().Equal(new AdapterFile("a.gguf", 0.5f), new AdapterFile(@"C:\b.gguf"));
        options.ChatClient.Defaults.Sampling.Should().Match<SamplingOptions>(sampling => sampling.Temperature == 0.5f && sampling.Seed == null);
    }

    [Test]
    public async Task All_faults_are_reported_at_once_each_with_its_key()
    {
        using var log = new HostLog();
        HostApplicationBuilder builder = Hosts.Builder(
            log,
            ("MoeOffload:Model", "no-such-model"),
            ("MoeOffload:CpuMoe", "yes"),
            ("MoeOffload:ContextLength", "-1"),
            ("MoeOffload:ctx-size", "512"),
            ("MoeOffload:Temprature", "0.5"),
            ("MoeOffload:Threads", "many"),
            ("MoeOffload:FlashAttention", "off"),
            ("MoeOffload:ValueCacheType", "q8_0"),
            ("MoeOffload:Placement", "blk\\.(0=CPU"),
            ("MoeOffload:RopeScale", "2"),
            ("MoeOffload:RopeFrequencyScale", "0.5"),
            ("MoeOffload:EmbeddingContextLength", "5"),
            ("MoeOffload:Adapters:0", "no-such-adapter.gguf"),
            ("MoeOffload:Projector", "no-such-mmproj.gguf"),
            ("MoeOffload:Models:extra:Model", "a.gguf"));
        builder.Services.AddMoeOffload(options => options.Catalog = new Catalog.ModelCatalogOptions { Paths = [] });
        using IHost host = builder.Build();

        IEnumerable<string> faults = (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<OptionsValidationException>()).Which.Failures;

        string[] expected =
        [
            "MoeOffload:Placement is 'blk\\.(0=CPU': *",
            "MoeOffload:CpuMoe is 'yes': use true or false.",
            "MoeOffload:ContextLength is '-1': Specify a value from 0 to *",
            "MoeOffload:Threads is 'many': use a whole number.",
            "MoeOffload:FlashAttention is 'off': A V cache of type Q8_0 requires flash attention*",
            "MoeOffload:EmbeddingContextLength is '5': There are no embeddings*",
            "MoeOffload:RopeScale and MoeOffload:RopeFrequencyScale cannot be combined*",
            "MoeOffload:ctx-size is not a key: remove it, or use ContextLength *",
            "MoeOffload:Temprature is not a key: remove it, or use Temperature *",
            "MoeOffload:Models:extra belongs to no model*AddKeyedMoeOffload(\"extra\")*",
            "MoeOffload:Model is 'no-such-model': There is no model 'no-such-model'*",
            "MoeOffload:Adapters: there is no file 'no-such-adapter.gguf'*",
            "MoeOffload:Projector: there is no file 'no-such-mmproj.gguf'*",
        ];
        faults.Should().HaveCount(expected.Length);
        foreach (string pattern in expected)
        {
            faults.Should().ContainSingle(fault => MatchesPattern(fault, pattern), "of {0}", pattern);
        }
    }

    [Test]
    public async Task Faults_of_several_models_are_reported_at_once()
    {
        using var log = new HostLog();
        HostApplicationBuilder builder = Hosts.Builder(log, ("MoeOffload:Models:a:Threads", "0"), ("MoeOffload:Model", DemoModel.Path));
        builder.Services.AddKeyedMoeOffload("a").AddKeyedMoeOffload("b");
        using IHost host = builder.Build();

        AggregateException error = (await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<AggregateException>()).Which;

        error.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures).Should().SatisfyRespectively(
            fault => fault.Should().StartWith("MoeOffload:Models:a:Threads is '0': "),
            fault => fault.Should().StartWith("MoeOffload:Model belongs to a model without a key"),
            fault => fault.Should().StartWith("MoeOffload:Models:a:Model is missing"),
            fault => fault.Should().StartWith("MoeOffload:Models:b:Model is missing"));
    }

    [Test]
    public void Delegate_comes_after_the_configuration_and_is_validated_as_well()
    {
        using var log = new HostLog();
        HostApplicationBuilder builder = Hosts.Builder(log, ("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"));
        builder.Services.AddMoeOffload(options => options.Context = options.Context! with { SequenceCount = 2 })
            .AddMoeOffload(options => options.Load = options.Load with { GpuLayers = 1 });
        using IHost host = builder.Build();
        HostedModelOptions read = host.Services.GetRequiredService<IOptions<HostedModelOptions>>().Value;
        read.Context.Should().Be(new ContextOptions { ContextLength = 512, SequenceCount = 2 });
        read.Load.GpuLayers.Should().Be(1);

        builder = Hosts.Builder(log, ("MoeOffload:Model", DemoModel.Path));
        builder.Services.AddMoeOffload(options => options.Context = new ContextOptions { SequenceCount = 0 });
        using IHost wrong = builder.Build();
        FluentActions.Invoking(() => wrong.Services.GetRequiredService<HostedModel>()).Should().Throw<OptionsValidationException>().WithMessage("MoeOffload: *1 to 256*");
    }

    [Test]
    public void Page_lists_the_keys_with_the_options_of_the_command()
    {
        string page = File.ReadAllText(Path.Combine(NativeBuild.Repository, "docs", "hosting.md"));
        KeyRow().Matches(page).Select(row => (row.Groups["key"].Value, row.Groups["option"].Value))
            .Should().Equal(SettingTable.All.Select(setting => (setting.Key, setting.Option ?? string.Empty)));
    }

    private static bool MatchesPattern(string text, string pattern) =>
        Regex.IsMatch(text, $"^{Regex.Escape(pattern).Replace(@"\*", ".*")}$", RegexOptions.Singleline);

    private static HostedModelOptions Read(params (string Key, string Value)[] settings)
    {
        using var log = new HostLog();
        HostApplicationBuilder builder = Hosts.Builder(log, [.. settings.Select(setting => ($"MoeOffload:{setting.Key}", setting.Value))]);
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        var options = new HostedModelOptions();
        host.Services.GetRequiredService<ModelConfiguration>().Configure(options);
        return options;
    }

    [GeneratedRegex(@"^\| `(?<key>\w+)` \| (?:`(?<option>--[\w-]+)`)? ?\|", RegexOptions.Multiline)]
    private static partial Regex KeyRow();
}

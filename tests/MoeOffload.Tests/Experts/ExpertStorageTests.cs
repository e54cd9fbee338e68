using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Experts;

/// <summary>Experts that stay in the model's files give the same results, within the limit of their memory.</summary>
[TestFixture]
public sealed class ExpertStorageTests
{
    private static readonly int[] s_percents = [1, 40, 100];

    private static IEnumerable<TinyModel> Models =>
    [
        TinyModels.PhiMoe(),
        TinyModels.GptOss(),
        TinyModels.GptOss(new TinyModelOptions { WeightType = GgmlType.MXFP4 }),
        TinyModels.DeepSeek(new TinyModelOptions { WeightType = GgmlType.Q4_0 }),
        TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = GgmlType.Q8_0 }),
        TinyModels.Olmoe(),
        TinyModels.Llama(new TinyModelOptions { Experts = 8, ExpertFeedForwardLength = 64, WeightType = GgmlType.F32 }),
        TinyModels.Glm4Moe(),
        TinyModels.Step35(),
        TinyModels.Qwen35Moe(),
    ];

    [TestCaseSource(nameof(Models))]
    public void Logits_are_the_same_bits_whatever_the_limit_is(TinyModel file)
    {
        List<float[]> expected;
        using (MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InMemory))
        {
            expected = ExpertRuns.Compute(model);
            model.ReadExpertStorage().Should().BeNull();
        }

        foreach (int percent in s_percents)
        {
            using MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, percent));
            ExpertRuns.ShouldEqual(ExpertRuns.Compute(model), expected, $"at {percent} %");
            ExpertStorageStatistics used = model.ReadExpertStorage()!;
            used.PeakBytes.Should().BePositive().And.BeLessThanOrEqualTo(used.LimitBytes);
            used.ResidentBytes.Should().BeLessThanOrEqualTo(used.PeakBytes);
            used.Misses.Should().BePositive();
            used.BytesRead.Should().BeGreaterThanOrEqualTo(used.PeakBytes);
        }
    }

    [Test]
    public void Split_files_give_the_same_bits()
    {
        TinyModel file = TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = GgmlType.Q8_0 });
        string split = Split(file);

        ExpertRuns.ShouldEqual(Compute(split, ExpertRuns.InFile(split, 30)), Compute(file.Path, ExpertRuns.InMemory));
    }

    [Test]
    public void Merged_gates_give_the_same_bits()
    {
        string merged = MergeGates(TinyModels.Qwen35Moe());

        ExpertRuns.ShouldEqual(Compute(merged, ExpertRuns.InFile(merged, 30)), Compute(merged, ExpertRuns.InMemory));
    }

    [Test]
    public async Task Text_of_the_demo_model_is_the_same()
    {
        string path = DemoModel.Path;

        string expected = await Tell(ExpertRuns.InMemory);

        foreach (int percent in s_percents)
        {
            (await Tell(ExpertRuns.InFile(path, percent))).Should().Be(expected);
        }

        async Task<string> Tell(ModelOptions options)
        {
            using MoeModel model = await MoeModel.LoadAsync(path, options);
            using GenerationSession session = model.CreateSession(SmallModel.Context());
            return SmallModel.Text(await SmallModel.Read(session.GenerateAsync("Once upon a time", SamplingOptions.Greedy, 24)));
        }
    }

    [Test]
    public void Sessions_at_the_same_time_share_the_limit()
    {
        TinyModel file = TinyModels.Qwen3Moe();
        List<float[]> expected = Compute(file.Path, ExpertRuns.InMemory);
        using MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, 1));

        Task<List<float[]>>[] runs = [.. Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
            () => ExpertRuns.Compute(model), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];

        foreach (Task<List<float[]>> run in runs)
        {
            ExpertRuns.ShouldEqual(run.GetAwaiter().GetResult(), expected);
        }

        ExpertStorageStatistics used = model.ReadExpertStorage()!;
        used.PeakBytes.Should().BeLessThanOrEqualTo(used.LimitBytes);
    }

    [Test]
    public void Adapters_that_change_experts_give_the_same_bits()
    {
        TinyModel file = TinyModels.Olmoe();
        string path = TinyAdapters.Write(file, TinyAdapters.IsExperts);

        Adapted(ExpertRuns.InFile(file.Path, 25)).Should().Equal(Adapted(ExpertRuns.InMemory));

        List<int> Adapted(ModelOptions options)
        {
            using MoeModel model = MoeModel.Load(file.Path, options);
            using LoraAdapter adapter = model.LoadAdapter(path);
            using GenerationSession session = model.CreateSession(Generations.SmallContext with { Adapters = [new ScaledAdapter(adapter)] });
            return session.Greedy();
        }
    }

    [Test]
    public async Task Layers_for_multi_token_prediction_draft_the_same()
    {
        TinyModel file = TinyModels.Glm4Moe();

        (await Drafted(ExpertRuns.InFile(file.Path, 25))).Should().Equal(await Drafted(ExpertRuns.InMemory));

        async Task<int[]> Drafted(ModelOptions options)
        {
            using MoeModel model = MoeModel.Load(file.Path, options with { LoadMtpLayers = true });
            using GenerationSession session = model.CreateSession(
                SmallModel.Context() with { Speculation = new SpeculationOptions { UseMtpLayers = true } });
            return await SmallModel.Greedy(session, "To be or not", 32);
        }
    }

    [Test]
    public void Other_layers_can_be_on_a_device()
    {
        TinyModel file = TinyModels.GptOss();
        using SecondDevice device = SecondDevice.Start();
        ModelOptions inMemory = device.Options with { Repack = false, Placement = TensorPlacement.ExpertsToCpu() };

        using MoeModel expected = MoeModel.Load(file.Path, inMemory);
        using MoeModel model = MoeModel.Load(file.Path, device.Options with { Experts = ExpertRuns.InFile(file.Path, 25).Experts });

        model.Logits().Should().Equal(expected.Logits());
        model.Greedy().Should().Equal(expected.Greedy());
        model.Placement.Devices.Should().HaveCount(2);
        model.ReadExpertStorage()!.Misses.Should().BePositive();
    }

    [Test]
    public void Counting_experts_changes_nothing()
    {
        TinyModel file = TinyModels.Qwen3Moe();
        using MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, 25));
        using GenerationSession counting = model.CreateSession(Generations.SmallContext with { CountExperts = true });

        counting.Greedy().Should().Equal(model.Greedy());
        counting.ExpertActivity!.TokenCount.Should().BePositive();
    }

    [Test]
    public void All_experts_fit_and_are_read_once()
    {
        TinyModel file = TinyModels.Qwen3Moe();
        using MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, 100));
        ExpertStorageStatistics before = model.ReadExpertStorage()!;
        ExpertRuns.Compute(model);
        long read = model.ReadExpertStorage()!.BytesRead;

        ExpertRuns.Compute(model);

        ExpertStorageStatistics used = model.ReadExpertStorage()!;
        before.BytesRead.Should().Be(0, "loading reads no expert");
        before.TotalBytes.Should().Be(model.Placement.Tensors.Where(tensor => tensor.IsExpert).Sum(tensor => tensor.Bytes));
        used.BytesRead.Should().Be(read);
        used.Layers.Select(layer => layer.Layer).Should().Equal(0, 1, 2);
        used.Layers.Should().OnlyContain(layer => layer.Hits > layer.Misses && layer.BytesRead > 0);
        used.Layers[0].Misses.Should().BePositive("nothing is read ahead for the first layer");
        used.WaitTime.Should().BePositive();
        used.ToString().Should().MatchRegex(@"^\[experts: \d+ hits, \d+ misses, \d+\.\d MiB read, \d+\.\d\d s waited; \d+\.\d of 9\.0 MiB in memory\]$");
    }

    [Test]
    [Platform("Linux")]
    [NonParallelizable]
    public void Loading_does_not_read_the_experts()
    {
        TinyModel file = TinyModels.Qwen3Moe(new TinyModelOptions { EmbeddingLength = 256, ExpertFeedForwardLength = 128 });
        long size = new FileInfo(file.Path).Length;
        long before = BytesRead();

        using MoeModel model = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, 10));

        (BytesRead() - before).Should().BeLessThan(size / 4);

        static long BytesRead() => long.Parse(File.ReadLines("/proc/self/io").First().Split(' ')[1]);
    }

    [Test]
    public void Memory_of_the_experts_is_the_limit()
    {
        TinyModel file = TinyModels.Qwen3Moe();
        ModelOptions options = ExpertRuns.InFile(file.Path, 25);
        using MoeModel model = MoeModel.Load(file.Path, options);
        using GenerationSession session = model.CreateSession(SmallModel.Context());

        session.Memory.Buffers.Should().ContainSingle(use => use.Buffer == "Experts").Which.WeightBytes
            .Should().BeInRange(options.Experts!.HostBytes - Environment.SystemPageSize, options.Experts.HostBytes);
        MoeModel.EstimateMemory(file.Path, options, SmallModel.Context()).Total.Should().Be(session.Memory.Total);
        model.Placement.Tensors.Where(tensor => tensor.IsExpert).Should().OnlyContain(tensor => tensor.Buffer == "Experts" && tensor.IsHost);
    }

    [Test]
    public void Other_models_are_as_before()
    {
        TinyModel file = TinyModels.Qwen3Moe();
        using MoeModel limited = MoeModel.Load(file.Path, ExpertRuns.InFile(file.Path, 25));
        using MoeModel plain = MoeModel.Load(file.Path, ExpertRuns.InMemory);

        using MoeModel other = MoeModel.Load(TinyModels.GptOss().Path, ExpertRuns.InFile(TinyModels.GptOss().Path, 25));
        using MoeModel plainOther = MoeModel.Load(TinyModels.GptOss().Path, ExpertRuns.InMemory);

        plain.Greedy().Should().Equal(limited.Greedy());
        plainOther.Greedy().Should().Equal(other.Greedy());
        plain.Greedy().Should().Equal(limited.Greedy());
        MoeModel.ListDevices().Should().NotContain(device => device.Name == "Experts");
    }

    private static List<float[]> Compute(string path, ModelOptions options)
    {
        using MoeModel model = MoeModel.Load(path, options);
        return ExpertRuns.Compute(model);
    }

    private static string Split(TinyModel model)
    {
        GgufFile file = GgufFile.Open(model.Path);
        GgufWriter writer = Copy(file);
        foreach (GgufTensorInfo tensor in file.Tensors)
        {
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], Content(file, tensor));
        }

        return writer.WriteSplit(TinyModels.NewPath("split"), 7)[0];
    }

    // The rows of an expert's gate come before those that it is multiplied with.
    private static string MergeGates(TinyModel model)
    {
        GgufFile file = GgufFile.Open(model.Path);
        GgufWriter writer = Copy(file);
        foreach (GgufTensorInfo tensor in file.Tensors.Where(tensor => !tensor.Name.EndsWith("ffn_up_exps.weight", StringComparison.Ordinal)))
        {
            if (!tensor.Name.EndsWith("ffn_gate_exps.weight", StringComparison.Ordinal))
            {
                writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], Content(file, tensor));
                continue;
            }

            byte[] gates = Content(file, tensor);
            byte[] others = Content(file, file.Tensors.Single(other => other.Name == tensor.Name.Replace("gate", "up", StringComparison.Ordinal)));
            int expert = (int)(tensor.ByteCount / tensor.Dimensions[2]);
            byte[] merged = [.. Enumerable.Range(0, (int)tensor.Dimensions[2]).SelectMany(i =>
                gates.AsSpan(i * expert, expert).ToArray().Concat(others.AsSpan(i * expert, expert).ToArray()))];
            writer.AddTensor(
                tensor.Name.Replace("gate", "gate_up", StringComparison.Ordinal),
                tensor.Type,
                [tensor.Dimensions[0], 2 * tensor.Dimensions[1], tensor.Dimensions[2]],
                merged);
        }

        string path = TinyModels.NewPath("merged");
        writer.Write(path);
        return path;
    }

    private static byte[] Content(GgufFile file, GgufTensorInfo tensor)
    {
        byte[] content = new byte[tensor.ByteCount];
        using var handle = File.OpenHandle(file.Path!);
        RandomAccess.Read(handle, content, file.DataOffset + tensor.Offset).Should().Be(content.Length);
        return content;
    }

    private static GgufWriter Copy(GgufFile file)
    {
        var writer = new GgufWriter();
        foreach ((string key, GgufValue value) in file.Metadata)
        {
            writer.Set(key, value);
        }

        return writer;
    }
}

using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

[TestFixture]
public sealed class LoraAdapterTests
{
    private const string Prompt = "To be, or not to be";
    private const int Tokens = 16;

    private static readonly TinyModel s_file = SmallModel.File;
    private static readonly MoeModel s_model = SmallModel.Shared;

    private static string NewPath(int seed = 1) => TinyAdapters.Write(s_file, TinyAdapters.IsAttention, seed: seed);

    [Test]
    public void Adapter_says_what_it_is()
    {
        string path = TinyAdapters.Write(s_file, TinyAdapters.IsExperts, seed: 7, type: GgmlType.F16);
        using LoraAdapter adapter = s_model.LoadAdapter(path);
        adapter.Path.Should().Be(path);
        adapter.Name.Should().Be("Adapter 7");
        adapter.Model.Should().BeSameAs(s_model);
        adapter.Tensors.Should().BeEquivalentTo(s_model.Placement.Tensors.Select(tensor => tensor.Name).Where(TinyAdapters.IsExperts));
        adapter.Bytes.Should().Be(GgufFile.Open(path).Tensors.Sum(tensor => tensor.ByteCount));
    }

    [Test]
    public async Task Scale_0_is_as_no_adapter()
    {
        using LoraAdapter adapter = s_model.LoadAdapter(NewPath());
        using GenerationSession plain = s_model.CreateSession(SmallModel.Context());
        using GenerationSession zero = s_model.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(adapter, 0)] });
        (await SmallModel.Greedy(zero, Prompt, Tokens)).Should().Equal(await SmallModel.Greedy(plain, Prompt, Tokens));
    }

    [Test]
    public async Task Adapters_can_be_swapped_and_swapped_back()
    {
        using LoraAdapter one = s_model.LoadAdapter(NewPath(1));
        using LoraAdapter two = await s_model.LoadAdapterAsync(NewPath(2));
        using GenerationSession session = s_model.CreateSession(SmallModel.Context());
        int[] plain = await SmallModel.Greedy(session, Prompt, Tokens);

        session.SetAdapters(new ScaledAdapter(one));
        session.Adapters.Should().Equal(new ScaledAdapter(one, 1));
        int[] withOne = await SmallModel.Greedy(session, Prompt, Tokens);
        session.SetAdapters(new ScaledAdapter(two, 2));
        int[] withTwo = await SmallModel.Greedy(session, Prompt, Tokens);
        session.SetAdapters(new ScaledAdapter(one), new ScaledAdapter(two, 2));
        int[] withBoth = await SmallModel.Greedy(session, Prompt, Tokens);
        new[] { plain, withOne, withTwo, withBoth }.Select(tokens => string.Join(' ', tokens)).Should().OnlyHaveUniqueItems();

        session.SetAdapters(new ScaledAdapter(one));
        (await SmallModel.Greedy(session, Prompt, Tokens)).Should().Equal(withOne);
        session.SetAdapters();
        (await SmallModel.Greedy(session, Prompt, Tokens)).Should().Equal(plain);
    }

    [Test]
    public async Task Adapters_change_within_a_running_generation()
    {
        using LoraAdapter adapter = s_model.LoadAdapter(NewPath());
        using GenerationSession session = s_model.CreateSession(SmallModel.Context(2048));
        int[] plain = await SmallModel.Greedy(session, Prompt, 900);

        List<int> changed = [];
        await foreach (GeneratedToken token in session.GenerateAsync(Prompt, SamplingOptions.Greedy, 900))
        {
            changed.Add(token.Id);
            if (changed.Count == 10)
            {
                session.SetAdapters(new ScaledAdapter(adapter));
            }
        }

        changed.Take(10).Should().Equal(plain.Take(10));
        changed.Should().NotEqual(plain);
    }

    [Test]
    public async Task Prompt_that_was_computed_with_other_adapters_is_not_reused_if_they_change_within_a_step()
    {
        using LoraAdapter adapter = s_model.LoadAdapter(NewPath());
        using GenerationSession session = s_model.CreateSession(SmallModel.Context(512, sequences: 2));
        await SmallModel.Greedy(session, Prompt, 1);

        // Logits of two tokens are read at once, in a step that has looked for changes already; the others are computed with the adapter.
        await session.ReadLogitsAsync([1, 2, 3, 4], (position, _) =>
        {
            if (position == 0)
            {
                session.SetAdapters(new ScaledAdapter(adapter));
            }
        });
        using TokenStream stream = session.GenerateAsync(Prompt, SamplingOptions.Greedy, Tokens);
        List<GeneratedToken> tokens = await SmallModel.Read(stream);

        stream.Statistics!.CachedPromptTokens.Should().Be(0);
        using GenerationSession other = s_model.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(adapter)] });
        tokens.Select(token => token.Id).Should().Equal(await SmallModel.Greedy(other, Prompt, Tokens));
    }

    [Test]
    public async Task Adapter_that_is_disposed_lives_on_where_it_is_used()
    {
        LoraAdapter adapter = s_model.LoadAdapter(NewPath());
        using GenerationSession session = s_model.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(adapter)] });
        int[] before = await SmallModel.Greedy(session, Prompt, Tokens);
        adapter.Dispose();
        adapter.Dispose();
        (await SmallModel.Greedy(session, Prompt, Tokens)).Should().Equal(before);
        session.SetAdapters();
        (await SmallModel.Greedy(session, Prompt, Tokens)).Should().NotEqual(before);
        session.Invoking(it => it.SetAdapters(new ScaledAdapter(adapter))).Should().Throw<ObjectDisposedException>();
        session.Dispose();
        session.Invoking(it => it.SetAdapters()).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public async Task Adapter_keeps_its_model()
    {
        LoraAdapter adapter;
        using (MoeModel model = MoeModel.Load(s_file.Path))
        {
            adapter = model.LoadAdapter(NewPath());
            using GenerationSession session = model.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(adapter)] });
            await SmallModel.Greedy(session, Prompt, 2);
        }

        adapter.Dispose();
    }

    [Test]
    public async Task Embeddings_with_an_adapter_are_others()
    {
        using LoraAdapter adapter = s_model.LoadAdapter(NewPath());
        var options = new EmbeddingOptions { ContextLength = 64, Pooling = EmbeddingPooling.Last, Threads = { Decode = 1 } };
        await using Embedder plain = s_model.CreateEmbedder(options);
        await using Embedder adapted = s_model.CreateEmbedder(options with { Adapters = [new ScaledAdapter(adapter)] });
        TextEmbedding before = await plain.EmbedAsync(Prompt);
        Vectors.Difference(before, await adapted.EmbedAsync(Prompt)).Should().BeGreaterThan(0.1f);
        Vectors.Difference(before, await plain.EmbedAsync(Prompt)).Should().BeLessThan(1e-6f);
    }

    [Test]
    public async Task Adapters_load_and_are_freed_while_others_generate_and_swap()
    {
        string[] paths = [NewPath(1), NewPath(2)];
        using LoraAdapter fixedOne = s_model.LoadAdapter(paths[0]);
        using GenerationSession session = s_model.CreateSession(SmallModel.Context(512));
        int[] expected = await SmallModel.Greedy(session, Prompt, Tokens);
        Task loading = Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                using LoraAdapter adapter = s_model.LoadAdapter(paths[i % 2]);
                await using GenerationSession other = s_model.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(adapter)] });
                await SmallModel.Greedy(other, Prompt, 2);
            }
        });
        while (!loading.IsCompleted)
        {
            session.SetAdapters(new ScaledAdapter(fixedOne, 0.5f));
            await SmallModel.Greedy(session, Prompt, 4);
            session.SetAdapters();
            (await SmallModel.Greedy(session, Prompt, Tokens)).Should().Equal(expected);
        }

        await loading;
    }

    [Test]
    public void Adapters_that_a_session_cannot_take_are_refused()
    {
        using MoeModel other = MoeModel.Load(s_file.Path);
        using LoraAdapter others = other.LoadAdapter(NewPath());
        using LoraAdapter own = s_model.LoadAdapter(NewPath());
        using GenerationSession session = s_model.CreateSession(SmallModel.Context());
        session.Invoking(it => it.SetAdapters(new ScaledAdapter(others))).Should().Throw<ArgumentException>().WithMessage("*another model*");
        session.Invoking(it => it.SetAdapters(new ScaledAdapter(own), new ScaledAdapter(own, 2))).Should().Throw<ArgumentException>().WithMessage("*twice*");
        session.Invoking(it => it.SetAdapters(new ScaledAdapter(own, float.NaN))).Should().Throw<ArgumentOutOfRangeException>();
        session.Invoking(it => it.SetAdapters(new ScaledAdapter(null!))).Should().Throw<ArgumentNullException>();
        session.Invoking(it => it.SetAdapters(null!)).Should().Throw<ArgumentNullException>();
        s_model.Invoking(it => it.CreateSession(SmallModel.Context() with { Adapters = [new ScaledAdapter(others)] })).Should().Throw<ArgumentException>();
        session.Adapters.Should().BeEmpty();
    }

    [Test]
    public void File_that_is_not_an_adapter_is_rejected()
    {
        Refused<GgufFormatException>(s_file.Path, "general.type");
        Refused<FileNotFoundException>(s_file.Path + ".none");
        Refused<GgufFormatException>(Write(writer => writer.Set("general.type", 3u)), "general.type");
        Refused<GgufFormatException>(Write(writer => writer.Set("adapter.type", "other")), "adapter.type");
        Refused<GgufFormatException>(Write(writer => writer.Set("adapter.lora.alpha", 8u)), "alpha");
        Refused<GgufFormatException>(Write(writer => writer.Set("adapter.lora.alpha", float.NaN)), "alpha");
        Refused<GgufFormatException>(TinyAdapters.Write(s_file, _ => false), "no tensor");
        Refused<GgufFormatException>(
            Write(writer => writer.AddTensor("blk.0.attn_q.weight", GgmlType.F32, [4], (_, destination) => destination.Clear())), "blk.0.attn_q.weight");
        Refused<GgufFormatException>(
            Write(writer => writer.AddTensor("blk.0.ffn_gate_inp.weight.lora_b", GgmlType.F32, [4, 8], (_, destination) => destination.Clear())), "lora_a");
        Refused<ModelLoadException>(Write(writer => writer.SetArray("adapter.alora.invocation_tokens", 1u, 2u)), "activated");
    }

    [Test]
    public void Adapter_of_another_model_is_refused()
    {
        Refused<ModelLoadException>(TinyAdapters.Write(TinyModels.Olmoe(), TinyAdapters.IsAttention), "olmoe", "qwen3moe");
        Refused<ModelLoadException>(TinyAdapters.Write(TinyModels.Qwen3Moe(), TinyAdapters.IsAttention), "blk.2");
        Refused<ModelLoadException>(
            TinyAdapters.Write(TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, EmbeddingLength = 256 }), TinyAdapters.IsAttention), "attn_q.weight");
        Refused<ModelLoadException>(TinyAdapters.Write(s_file, name => name == "output_norm.weight"), "not a matrix");
    }

    // Each of these would make llama.cpp read beyond the factors or end the process.
    [TestCase(".lora_a", 1, 5)]
    [TestCase(".lora_b", 0, 5)]
    [TestCase(".lora_a", 0, 64)]
    [TestCase(".lora_b", 1, 64)]
    [TestCase(".lora_a", 2, 7)]
    [TestCase(".lora_b", 2, 7)]
    public void Factors_of_a_wrong_shape_are_refused(string factor, int dimension, int length)
    {
        Refused<ModelLoadException>(TinyAdapters.Write(s_file, TinyAdapters.IsExperts, shape: Change), "do not make");

        long[] Change(string name, long[] dimensions)
        {
            if (name == "blk.1.ffn_up_exps.weight" + factor)
            {
                dimensions[dimension] = length;
            }

            return dimensions;
        }
    }

    [TestCase(GgmlType.F16)]
    [TestCase(GgmlType.Q4_0)] // which most processors rearrange, so that there are two copies
    public void Embedding_that_is_the_output_as_well_is_refused(GgmlType type)
    {
        TinyModel whole = TinyModels.Llama(new TinyModelOptions { WeightType = type });
        string tied = AlteredModels.Alter(whole, keepTensor: name => name != "output.weight");
        using MoeModel model = MoeModel.Load(tied);
        string path = TinyAdapters.Write(whole, name => name == "token_embd.weight");
        model.Invoking(it => it.LoadAdapter(path)).Should().Throw<ModelLoadException>().WithMessage("*output matrix*");
    }

    [Test]
    public void Truncated_adapter_is_refused()
    {
        byte[] whole = File.ReadAllBytes(NewPath());
        string path = TinyModels.NewPath("truncated adapter");
        foreach (int length in (int[])[0, 10, 100, 500, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(path, whole[..length]);
            Refused<GgufFormatException>(path);
        }
    }

    [Test]
    public async Task Adapter_with_flipped_bits_is_refused_or_works()
    {
        byte[] whole = File.ReadAllBytes(NewPath());
        int header = (int)GgufFile.Open(NewPath()).DataOffset;
        string path = TinyModels.NewPath("damaged adapter");
        using GenerationSession session = s_model.CreateSession(SmallModel.Context());
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 200; i++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(header)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);
            try
            {
                using LoraAdapter adapter = s_model.LoadAdapter(path);
                session.SetAdapters(new ScaledAdapter(adapter));
                await SmallModel.Greedy(session, Prompt, 1);
                session.SetAdapters();
            }
            catch (Exception exception) when (exception is GgufFormatException or ModelLoadException or InferenceException)
            {
                refused++;
            }
        }

        refused.Should().BeGreaterThan(50);
        (await SmallModel.Greedy(session, Prompt, 3)).Should().HaveCount(3);
    }

    private static string Write(Action<GgufWriter> change) => TinyAdapters.Write(s_file, TinyAdapters.IsAttention, change: change);

    private static void Refused<TException>(string path, params string[] words)
        where TException : Exception
    {
        string message = s_model.Invoking(it => it.LoadAdapter(path)).Should().Throw<TException>().Which.Message;
        words.Where(word => !message.Contains(word, StringComparison.Ordinal)).Should().BeEmpty(message);
    }
}

using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

[TestFixture]
public sealed class GgufModelCheckTests
{
    private static readonly TinyModelOptions s_small = new() { Layers = 2, VocabularySize = 512 };

    private static IEnumerable<TinyModel> Models => [.. TinyModels.All, .. TinyModels.Quantized];

    private static IEnumerable<TestCaseData> DamagedHyperparameters()
    {
        yield return Case("Layers_of_0", TinyModels.Llama(s_small), "block_count", 0u);
        yield return Case("Layers_beyond_512", TinyModels.Llama(s_small), "block_count", 513u);
        yield return Case("Context_of_0", TinyModels.Llama(s_small), "context_length", 0u);
        yield return Case("Context_beyond_reason", TinyModels.Llama(s_small), "context_length", uint.MaxValue);
        yield return Case("Experts_beyond_1024", TinyModels.PhiMoe(s_small), "expert_count", 1025u);
        yield return Case("Experts_of_0_with_expert_tensors", TinyModels.PhiMoe(s_small), "expert_count", 0u, "expert_used_count");
        yield return Case("Used_experts_beyond_all", TinyModels.PhiMoe(s_small), "expert_used_count", 17u);
        yield return Case("Used_experts_of_0", TinyModels.PhiMoe(s_small), "expert_used_count", 0u);
        yield return Case("Expert_groups_that_do_not_divide", TinyModels.PhiMoe(s_small), "expert_group_count", 3u);
        yield return Case("Expert_groups_beyond_experts", TinyModels.PhiMoe(s_small), "expert_group_count", 16u);
        yield return Case("Gating_of_an_unknown_kind", TinyModels.PhiMoe(s_small), "expert_gating_func", 9u);
        yield return Case("Heads_of_0", TinyModels.PhiMoe(s_small), "attention.head_count", 0u);
        yield return Case("Heads_that_key_value_heads_do_not_divide", TinyModels.Qwen3Moe(s_small), "attention.head_count_kv", 3u);
        yield return Case("Heads_that_do_not_divide_the_embedding", TinyModels.DeepSeek(s_small), "attention.head_count", 12u);
        yield return Case("Rotation_beyond_the_head", TinyModels.PhiMoe(s_small), "rope.dimension_count", 66u);
        yield return Case("Rotation_of_nothing", TinyModels.PhiMoe(s_small), "rope.dimension_count", 0u);
        yield return Case("Rotation_of_an_odd_part", TinyModels.PhiMoe(s_small), "rope.dimension_count", 63u);
        yield return Case("Rotation_of_a_part_where_it_is_whole", TinyModels.Qwen3Moe(s_small), "rope.dimension_count", 32u);
        yield return Case("Values_shorter_than_keys", TinyModels.GptOss(s_small), "attention.value_length", 32u);
        yield return Case("Sliding_window_beyond_reason", TinyModels.GptOss(s_small), "attention.sliding_window", 1u << 31);
        yield return Case("Sliding_pattern_that_never_slides", TinyModels.GptOss(s_small), "attention.sliding_window_pattern", 1u);
        yield return Case("Layer_count_of_another_type", TinyModels.Llama(s_small), "block_count", 2L);
        yield return Case("Epsilon_below_0", TinyModels.Llama(s_small), "attention.layer_norm_rms_epsilon", -1f);
        yield return Case("Epsilon_not_a_number", TinyModels.Llama(s_small), "attention.layer_norm_rms_epsilon", float.NaN);
        yield return Case("Frequency_not_a_number", TinyModels.Llama(s_small), "rope.freq_base", float.NaN);
    }

    private static IEnumerable<TestCaseData> DamagedMetadata()
    {
        yield return Case("Architecture_missing", TinyModels.Llama(s_small), it => it.Remove(GgufKeys.Architecture), GgufKeys.Architecture);
        yield return Case("Image_encoder", TinyModels.Llama(s_small), it => it.Set(GgufKeys.Architecture, "clip"), "image encoder");
        yield return Case("Rope_scaling_unknown", TinyModels.GptOss(s_small), it => it.Set("gpt-oss.rope.scaling.type", "yarm"), "'yarm'");
        yield return Case("Heads_per_layer_for_other_layers", TinyModels.Llama(s_small), it => it.SetArray("llama.attention.head_count", 4u, 4u, 4u), "has 3 elements");
        yield return Case("Tokens_missing", TinyModels.Llama(s_small), it => it.Remove("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
        yield return Case("Tokens_empty", TinyModels.Llama(s_small), it => it.SetArray("tokenizer.ggml.tokens", []), "has 0 elements");
        yield return Case("Token_twice", TinyModels.Qwen3Moe(s_small), it => it.SetArray("tokenizer.ggml.tokens", ["a", "b", "a"]), "token 2 'a' twice");
        yield return Case("Token_twice_up_to_its_zero", TinyModels.Qwen3Moe(s_small), it => it.SetArray("tokenizer.ggml.tokens", ["a", "a\0b"]), "token 1");
        yield return Case("Empty_token_and_its_other_name", TinyModels.Qwen3Moe(s_small), it => it.SetArray("tokenizer.ggml.tokens", ["[EMPTY_1]", ""]), "token 1");
        yield return Case("Bytes_incomplete", TinyModels.Llama(s_small), it => it.SetArray("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "<0x00>", "<0x01>"]), "not for <0x02>");
        yield return Case("Tokenizer_adds_a_missing_token", TinyModels.Qwen3Moe(s_small), it => { it.SetArray("tokenizer.ggml.tokens", ["a", "b"]); it.Set("tokenizer.ggml.add_bos_token", true); it.Remove("tokenizer.ggml.bos_token_id"); }, "bos_token_id");
        yield return Case("Dummy_vocabulary_beyond_reason", TinyModels.Llama(s_small), it => { it.Set("tokenizer.ggml.model", "none"); it.Set("llama.vocab_size", uint.MaxValue); }, "vocab_size");
    }

    [TestCaseSource(nameof(Models))]
    public void Sound_model_passes(TinyModel model) =>
        FluentActions.Invoking(() => GgufModelCheck.Validate(GgufModelFiles.Open(model.Path))).Should().NotThrow();

    [TestCaseSource(nameof(DamagedHyperparameters))]
    [TestCaseSource(nameof(DamagedMetadata))]
    public void Model_is_refused_for(TinyModel model, Action<GgufWriter> damage, string message)
    {
        var altered = GgufModelFiles.Open(AlteredModels.Alter(model, damage));

        FluentActions.Invoking(() => GgufModelCheck.Validate(altered)).Should().Throw<GgufFormatException>()
            .Which.Message.Should().Contain(message);
    }

    [Test]
    public void Model_of_the_other_byte_order_can_be_read_and_not_loaded()
    {
        var path = AlteredModels.Alter(TinyModels.Llama(s_small), options: new GgufWriterOptions { ByteOrder = GgufByteOrder.BigEndian });

        var model = GgufModelFiles.Open(path);

        model.Metadata.TryGetInt32("llama.block_count", out var layers).Should().BeTrue();
        layers.Should().Be(2);
        FluentActions.Invoking(() => GgufModelCheck.Validate(model)).Should().Throw<GgufFormatException>().WithMessage("*BigEndian*");
    }

    [Test]
    public void Model_with_tensors_that_cannot_be_mapped_is_refused()
    {
        var path = AlteredModels.Alter(TinyModels.Llama(s_small), options: new GgufWriterOptions { Alignment = 1 });

        FluentActions.Invoking(() => GgufModelCheck.Validate(GgufModelFiles.Open(path)))
            .Should().Throw<GgufFormatException>().WithMessage("*general.alignment*");
    }

    [TestCase("blk.0.attn_norm.weight", GgmlType.F16)]
    [TestCase("blk.0.attn_q.bias", GgmlType.F16)]
    [TestCase("blk.0.attn_q.weight", GgmlType.I32)]
    [TestCase("blk.0.attn_q.weight", GgmlType.Q8_K)]
    public void Tensor_of_a_type_without_computation_is_refused(string name, GgmlType type)
    {
        var path = AlteredModels.Alter(
            TinyModels.Llama(s_small),
            it => it.AddTensor(name, type, [256, 1], new byte[GgmlTypeInfo.Get(type).GetByteCount(256)]),
            tensor => tensor != name);

        FluentActions.Invoking(() => GgufModelCheck.Validate(GgufModelFiles.Open(path)))
            .Should().Throw<GgufFormatException>().WithMessage($"*{name}*");
    }

    [Test]
    public void Override_that_breaks_a_sound_model_is_refused_and_one_of_another_type_has_no_effect()
    {
        var model = GgufModelFiles.Open(TinyModels.PhiMoe(s_small).Path);
        var key = "phimoe.expert_used_count";

        FluentActions.Invoking(() => GgufModelCheck.Validate(model, new Dictionary<string, MetadataValue> { [key] = 200L }))
            .Should().Throw<GgufFormatException>();
        FluentActions.Invoking(() => GgufModelCheck.Validate(model, new Dictionary<string, MetadataValue> { [key] = "200" }))
            .Should().NotThrow();
    }

    [Test]
    public void Override_that_mends_a_broken_model_lets_it_pass()
    {
        var path = AlteredModels.Alter(TinyModels.PhiMoe(s_small), it => it.Set("phimoe.expert_used_count", 200u));

        FluentActions.Invoking(() => GgufModelCheck.Validate(
            GgufModelFiles.Open(path), new Dictionary<string, MetadataValue> { ["phimoe.expert_used_count"] = 2L })).Should().NotThrow();
    }

    private static TestCaseData Case<T>(string name, TinyModel model, string key, T value, string? blamed = null)
        where T : unmanaged => Case(name, model, writer => writer.Set($"{model.Shape.Architecture}.{key}", value), blamed ?? key);

    private static TestCaseData Case(string name, TinyModel model, Action<GgufWriter> damage, string message) =>
        new TestCaseData(model, damage, message).SetName($"Model_is_refused_for_{name}");
}

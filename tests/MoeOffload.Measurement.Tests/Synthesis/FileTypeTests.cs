using FluentAssertions;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Synthesis;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Synthesis;

/// <summary>Compares plans of whole models with the published values of the real ones. Nothing is written.</summary>
[TestFixture]
public sealed class FileTypeTests
{
    private const double MiB = 1 << 20;

    // The sums of the safetensors on Hugging Face; of Phi-3.5-MoE only what its card says, in billions.
    [TestCase("gpt-oss-20b", 20_914_757_184, 0)]
    [TestCase("gpt-oss-120b", 116_829_156_672, 0)]
    [TestCase("phi-3.5-moe", 41_900_000_000, 50_000_000)]
    [TestCase("deepseek-moe-16b", 16_375_728_128, 0)]
    [TestCase("qwen3-30b-a3b", 30_532_122_624, 0)]
    public void Shape_has_the_published_number_of_parameters(string id, long published, long rounding)
    {
        ModelShape shape = Shape(id);

        shape.Tensors(shape.LayerCount).Sum(tensor => tensor.ElementCount).Should().BeCloseTo(published, (ulong)rounding);
    }

    [TestCase("gpt-oss-20b", "MXFP4", 12_109_566_560)]
    [TestCase("gpt-oss-120b", "MXFP4", 63_387_346_464)]
    [TestCase("qwen3-30b-a3b", "Q4_K_M", 18_556_686_912)]
    [TestCase("qwen3-30b-a3b", "Q8_0", 32_483_932_736)]
    public void File_is_as_large_as_the_published_one_within_half_a_percent(string id, string type, long published)
    {
        ModelShape shape = Shape(id);

        var model = new SyntheticModel(shape, FileType.All[type], shape.LayerCount, seed: 1);

        model.FileBytes.Should().BeCloseTo(published, (ulong)(published * 0.005));
    }

    // Model, KV cache of 4096 tokens in F16, and compute buffer together, as llama.cpp's allocator counted them on a GPU. The last one is not
    // known apart: it is some hundred MiB.
    [TestCase("phi-3.5-moe", "Q2_K", 15131.2)]
    [TestCase("phi-3.5-moe", "Q4_K_M", 24715.7)]
    [TestCase("phi-3.5-moe", "Q8_0", 42919.5)]
    [TestCase("deepseek-moe-16b", "Q2_K", 7458.8)]
    [TestCase("deepseek-moe-16b", "Q4_K_M", 11363.5)]
    [TestCase("deepseek-moe-16b", "Q8_0", 17523.2)]
    public void Tensors_and_cache_leave_room_for_a_compute_buffer_in_what_was_measured(string id, string type, double measuredMiB)
    {
        const int ContextLength = 4096;
        ModelShape shape = Shape(id);
        double tensors = shape.Tensors(shape.LayerCount).Sum(tensor => new PlannedTensor(tensor, FileType.All[type].TypeOf(shape, shape.LayerCount, tensor)).ByteCount) / MiB;
        double cache = 2L * sizeof(ushort) * ContextLength * shape.LayerCount * shape.KeyValueHeadCount * shape.HeadLength / MiB;

        (measuredMiB - tensors - cache).Should().BeInRange(-0.01 * measuredMiB, 500);
    }

    [TestCase("blk.0.attn_v.weight", GgmlType.Q6_K)]
    [TestCase("blk.6.attn_v.weight", GgmlType.Q4_K)]
    [TestCase("blk.8.attn_v.weight", GgmlType.Q6_K)]
    [TestCase("blk.47.ffn_down_exps.weight", GgmlType.Q6_K)]
    [TestCase("blk.47.ffn_up_exps.weight", GgmlType.Q4_K)]
    [TestCase("blk.0.ffn_gate_inp.weight", GgmlType.F32)]
    [TestCase("blk.0.attn_q_norm.weight", GgmlType.F32)]
    [TestCase("output.weight", GgmlType.Q6_K)]
    [TestCase("token_embd.weight", GgmlType.Q4_K)]
    public void Sensitive_tensors_get_more_bits(string tensor, GgmlType expected) => TypeOf("qwen3-30b-a3b", "Q4_K_M", tensor).Should().Be(expected);

    [TestCase("Q2_K", GgmlType.Q4_0)]
    [TestCase("Q5_K_S", GgmlType.Q5_1)]
    [TestCase("Q6_K", GgmlType.Q8_0)]
    public void Rows_that_are_not_a_multiple_of_the_block_get_a_type_with_smaller_blocks(string type, GgmlType expected) =>
        TypeOf("deepseek-moe-16b", type, "blk.1.ffn_down_exps.weight").Should().Be(expected);

    [TestCase("MXFP4", GgmlType.MXFP4, GgmlType.Q8_0)]
    [TestCase("F16", GgmlType.MXFP4, GgmlType.F16)]
    public void Experts_of_gpt_oss_keep_their_type(string type, GgmlType experts, GgmlType attention)
    {
        TypeOf("gpt-oss-20b", type, "blk.0.ffn_up_exps.weight").Should().Be(experts);
        TypeOf("gpt-oss-20b", type, "blk.0.attn_q.weight").Should().Be(attention);
    }

    private static ModelShape Shape(string id) => ModelShape.All.Single(shape => shape.Id == id);

    private static GgmlType TypeOf(string id, string type, string name)
    {
        ModelShape shape = Shape(id);
        return FileType.All[type].TypeOf(shape, shape.LayerCount, shape.Tensors(shape.LayerCount).Single(tensor => tensor.Name == name));
    }
}

using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

[TestFixture]
public sealed class GgufFileNameTests
{
    [TestCase("gpt-oss-20b-mxfp4.gguf", "MXFP4")]
    [TestCase("Phi-3.5-MoE-instruct-Q4_K_M.gguf", "Q4_K_M")]
    [TestCase("deepseek-moe-16b-chat.Q2_K.gguf", "Q2_K")]
    [TestCase("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL")]
    [TestCase("model-IQ4_XS.gguf", "IQ4_XS")]
    [TestCase("model-f16.GGUF", "F16")]
    [TestCase("model-BF16-00001-of-00002.gguf", "BF16")]
    [TestCase("Q8_0.gguf", "Q8_0")]
    [TestCase("tiny-moe.gguf", null)]
    [TestCase("faq8_0.gguf", null)]
    public void Quantization_is_what_a_name_ends_with(string file, string? expected)
    {
        GgufFileName.TryParse(file, out GgufFileName name).Should().BeTrue();

        name.Quantization.Should().Be(expected);
    }

    [Test]
    public void Part_number_is_not_part_of_the_stem()
    {
        GgufFileName.TryParse("big-Q4_K_M-00002-of-00013.gguf", out GgufFileName name).Should().BeTrue();

        name.Should().Be(new GgufFileName("big-Q4_K_M", 2, 13));
    }

    [TestCase("readme.md")]
    [TestCase(".gguf")]
    [TestCase("model.gguf.incomplete")]
    public void Other_files_are_none(string file) => GgufFileName.TryParse(file, out _).Should().BeFalse();
}

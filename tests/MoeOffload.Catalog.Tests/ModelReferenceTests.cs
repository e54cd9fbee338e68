using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

[TestFixture]
public sealed class ModelReferenceTests
{
    [TestCase("ggml-org/gpt-oss-20b-GGUF", "ggml-org/gpt-oss-20b-GGUF", null)]
    [TestCase("org/repo:Q4_K_M", "org/repo", "Q4_K_M")]
    [TestCase("hf.co/org/repo:sub/model-Q8_0.gguf", "org/repo", "sub/model-Q8_0.gguf")]
    public void Reference_is_read(string text, string repository, string? variant) =>
        ModelReference.Parse(text).Should().Be(new ModelReference(repository, variant));

    [TestCase("")]
    [TestCase("repo")]
    [TestCase("org/repo/more")]
    [TestCase("../etc")]
    [TestCase("org/..")]
    [TestCase("org/a..b")]
    [TestCase("org/a--b")]
    [TestCase("org/repo:")]
    [TestCase("org/re po")]
    [TestCase("org/repo\n")]
    [TestCase("https://huggingface.co/org/repo")]
    public void Anything_else_is_none(string text)
    {
        Action parse = () => ModelReference.Parse(text);

        parse.Should().Throw<FormatException>().WithMessage("*ORG/REPO*");
    }
}

using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

public sealed class ModelInfoTests
{
    // llama.cpp names sizes of models that it knows, and these are not among them: "qwen3moe ?B F16".
    [Test]
    public void Description_leaves_out_a_size_that_has_no_name() =>
        SmallModel.Shared.Info.Description.Should().StartWith("qwen3moe ").And.NotContain("?");
}

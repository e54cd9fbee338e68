using FluentAssertions;
using Microsoft.Extensions.Logging;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
public sealed class NativeLogLevelTests
{
    [TestCase("llama_model_loader: tensor overrides to CPU are used with mmap enabled - consider using --load-mode none for better performance", true)]
    [TestCase("llama_kv_cache_iswa: using full-size SWA cache (ref: #13194)", true)]
    [TestCase("llama_context: n_ctx_seq (8192) > n_ctx_train (4096) -- possible training context overflow", false)]
    public void Warning_that_asks_for_nothing_is_a_remark(string warning, bool isRemark) => NativeLogLevel.IsRemark(warning).Should().Be(isRemark);

    [Test]
    public void Load_with_experts_in_system_memory_informs_in_a_few_lines_and_warns_of_nothing()
    {
        using var log = new RecordedLog();
        TinyModel tiny = TinyModels.GptOss();

        using MoeModel model = MoeModel.Load(
            tiny.Path, new ModelOptions { Placement = TensorPlacement.ExpertsToCpu(), LoggerFactory = log });
        using GenerationSession session = model.CreateSession(Generations.SmallContext);

        var told = log.Lines.Where(line => line.Level >= LogLevel.Information && !line.Text.Contains("is not available on this machine")).ToList();
        told.Should().OnlyContain(line => line.Level == LogLevel.Information && line.Category == "MoeOffload.MoeModel");
        told.Should().HaveCountLessThan(8);
        told.Should().Contain(line => line.Text.Contains("Loaded") && line.Text.Contains("expert_count = 32"));
        told.Should().Contain(line => line.Text.Contains("256 tokens for 1 sequences") && line.Text.EndsWith("on Host"));
        log.Lines.Should().Contain(line => line.Level == LogLevel.Debug && line.Text.Contains("full-size SWA cache"));
    }

    [Test]
    public void Native_lines_are_kept_for_those_who_look_into_a_load()
    {
        using var log = new RecordedLog();

        using MoeModel model = MoeModel.Load(TinyModels.GptOss().Path, new ModelOptions { LoggerFactory = log });

        log.Lines.Count(line => line.Category == "MoeOffload.Native" && line.Level == LogLevel.Debug).Should().BeGreaterThan(50);
    }
}

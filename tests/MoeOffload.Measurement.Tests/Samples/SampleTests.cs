using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Measurement.Benches;

using MoeOffload.Measurement.Samples;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Samples;

/// <summary>Samples as lines, and figures that follow from them.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SampleTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Test]
    public void Log_writes_a_line_at_once_and_reads_it_back()
    {
        string path = _directory["samples.jsonl"];
        using var file = new SampleFile(path);
        var log = new SampleLog(file);

        log.Add(new JsonObject { ["text"] = "Zürich\n", ["bytes"] = 3 });
        log.Add(new JsonObject { ["text"] = null, ["bytes"] = 4 });

        string[] lines = ReadShared(path);
        lines.Should().Equal("""{"text":"Zürich\n","bytes":3}""", """{"text":null,"bytes":4}""");
        log.Samples.Numbers("bytes").Should().Equal(3, 4);
        log.Samples[1].Line.Should().Be(2);
    }

    [Test]
    public void File_keeps_its_content_until_there_is_a_sample()
    {
        string path = _directory.Write("samples.jsonl", "a long line of an earlier run\n");
        using (new SampleFile(path))
        {
        }

        File.ReadAllText(path).Should().Be("a long line of an earlier run\n");
        using (var file = new SampleFile(path))
        {
            new SampleLog(file).Add(new JsonObject { ["bytes"] = 3 });
        }

        File.ReadAllText(path).Should().Be("{\"bytes\":3}\n");
    }

    [Test]
    public void Samples_are_told_apart_by_their_fields()
    {
        SampleSet samples = Read(
            """{"placement":"offload","stream":true,"ttft_ms":5,"gaps_ms":[1,2.5],"same":true}""",
            """{"placement":"offload","stream":false,"ttft_ms":null,"same":false}""",
            """{"placement":"device","stream":true,"ttft_ms":3}""");

        samples.Where(new JsonObject { ["placement"] = "offload", ["stream"] = true }).Numbers("gaps_ms").Should().Equal(1, 2.5);
        samples.Numbers("ttft_ms").Should().Equal(5, 3);
        samples.Numbers("same").Should().Equal(1, 0);
        samples.Where(new JsonObject { ["gaps_ms"] = null }).Count.Should().Be(2);
        samples.By("placement").Select(group => group.Samples.Count).Should().Equal(2, 1);
    }

    [Test]
    public void Figure_is_computed_from_the_samples_that_fit()
    {
        SampleSet samples = Read("""{"way":"a","ms":1}""", """{"way":"b","ms":7}""", """{"way":"a","ms":3}""");
        var figure = new SampleStatistic("difference_of_medians", "ms", new JsonObject { ["way"] = "b" }, new JsonObject { ["way"] = "a" });

        figure.Compute(samples).Should().Be(5);
        (figure with { Where = new JsonObject { ["way"] = "c" } }).Compute(samples).Should().BeNull();
        figure.ToJson(samples)["value"]!.GetValue<double>().Should().Be(5);
    }

    [Test]
    public void Line_that_is_not_a_sample_is_named()
    {
        string path = _directory.Write("samples.jsonl", "{}\n[1]\n");

        FluentActions.Invoking(() => SampleSet.Read(path)).Should().Throw<FormatException>().WithMessage("Line 2*");
    }

    [Test]
    public void Prompts_have_the_protocols_tokens()
    {
        using MoeModel model = MoeModel.Load(RealVocabularies.Write("gpt-2", _directory.Path));

        StreamingPrompt.All.Select(prompt => model.Vocabulary.Tokenize(prompt.Text, addSpecial: false).Length).Should().Equal(7, 6, 10, 27);
    }

    private static string[] ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static SampleSet Read(params string[] lines) => new([.. lines.Select((line, index) => Sample.Parse(index + 1, line))]);
}

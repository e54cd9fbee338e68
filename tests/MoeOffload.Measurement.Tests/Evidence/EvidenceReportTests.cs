using System.Text.RegularExpressions;
using System.Xml.Linq;
using FluentAssertions;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Figures;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Evidence;

/// <summary>What the report says, and that it is always the same.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed partial class EvidenceReportTests : IDisposable
{
    private readonly EvidenceFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Test]
    public void Same_raw_files_give_the_same_bytes()
    {
        string first = _folders.Make("first");
        string second = _folders.Make("second");

        File.ReadAllText(Path.Combine(second, "SHA256SUMS")).Should().Be(File.ReadAllText(Path.Combine(first, "SHA256SUMS")));
    }

    [Test]
    public void Report_is_one_file_that_needs_no_other()
    {
        string html = File.ReadAllText(Path.Combine(_folders.Make(), "report.html"));

        html.Should().Contain("<svg").And.Contain("prefers-color-scheme: dark").And.NotContain("<script").And.NotContain("<link").And.NotContain("<img").And.NotContain("url(");
        Addresses().Matches(html).Select(match => match.Value).Distinct().Should().Equal("http://www.w3.org/2000/svg");
    }

    [Test]
    public void Plots_are_images_that_say_what_they_show()
    {
        string folder = _folders.Make(isSynthetic: true);

        string[] plots = Directory.GetFiles(Path.Combine(folder, "plots"));
        plots.Should().HaveCountGreaterThanOrEqualTo(5);
        foreach (string plot in plots)
        {
            XElement image = XDocument.Load(plot).Root!;
            image.Name.LocalName.Should().Be("svg");
            image.Value.Should().Contain("synthetic weights").And.Contain("RPC server");
        }
    }

    [Test]
    public void Every_table_of_synthetic_weights_says_so()
    {
        string report = File.ReadAllText(Path.Combine(_folders.Make(isSynthetic: true), "report.md"));
        string real = File.ReadAllText(Path.Combine(_folders.Make("real"), "report.md"));

        string model = report[report.IndexOf("## little-moe", StringComparison.Ordinal)..report.IndexOf("## Check it", StringComparison.Ordinal)];
        string[] captions = [.. TableCaptions().Matches(model).Select(match => match.Groups[1].Value)];
        captions.Should().HaveCountGreaterThanOrEqualTo(7).And.OnlyContain(caption => caption.Contains("synthetic weights") && caption.Contains("RPC0 is an RPC server"));
        real.Should().NotContain("synthetic");
    }

    [Test]
    public void Fewer_repeats_than_the_protocol_asks_for_are_called_that()
    {
        string few = File.ReadAllText(Path.Combine(_folders.Make(rounds: 2), "report.md"));
        string enough = File.ReadAllText(Path.Combine(_folders.Make("enough", rounds: 5), "report.md"));

        few.Should().Contain("2 rounds only: below the 5 repeats that the protocol asks for.");
        enough.Should().NotContain("only: below");
    }

    [Test]
    public void Memory_says_how_much_less_the_device_holds()
    {
        string report = File.ReadAllText(Path.Combine(_folders.Make(), "report.md"));

        report.Should().Contain("| RPC0 | all on device | 4.0 | 4.0 | 4.0 | 12.0 |").And.Contain("| RPC0 | experts on CPU | 1.0 | 1.0 | 1.0 | 3.0 |").And.Contain("| 75.0 % |");
    }

    [Test]
    public void Figures_are_tied_to_the_lines_that_they_come_from()
    {
        string folder = _folders.Make();
        var manifest = EvidenceManifest.Read(EvidenceFiles.Open(folder));

        var figure = manifest.Figures.Single(figure => figure.Id == "little-moe/streaming/offload/short/ttft_ms/min");

        var source = figure.Sources.Should().ContainSingle().Subject;
        string[] lines = File.ReadAllLines(Path.Combine(folder, source.File));
        source.Lines.Select(line => lines[line - 1]).Should().HaveCount(3).And.OnlyContain(line => line.Contains("\"offload\"") && line.Contains("\"short\"") && line.Contains("\"stream\":true"));
        figure.Value.Should().BeApproximately(1000 / ((20.0 / 3) + 0.5), 1e-6);
    }

    [GeneratedRegex("https?://[^\"'<> ]+")]
    private static partial Regex Addresses();

    [GeneratedRegex(@"^([^|\n]+)\n\n\|", RegexOptions.Multiline)]
    private static partial Regex TableCaptions();
}

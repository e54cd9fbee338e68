using FluentAssertions;
using MoeOffload.Measurement.Evidence;
using MoeOffload.Measurement.Evidence.Verification;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Evidence;

/// <summary>What the check of evidence finds, and that it says which file, line or figure and why.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EvidenceVerifierTests : IDisposable
{
    private const string Samples = $"models/{EvidenceFolders.Model}/streaming.jsonl";
    private const string Tensors = $"models/{EvidenceFolders.Model}/tensors-offload.jsonl";
    private const string Log = $"models/{EvidenceFolders.Model}/load-offload.log";

    private readonly EvidenceFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Test]
    public void Whole_folder_holds()
    {
        VerificationResult result = EvidenceVerifier.Verify(_folders.Make());

        result.Problems.Should().BeEmpty();
        result.FigureCount.Should().BeGreaterThan(50);
    }

    [Test]
    public void Changed_byte_is_found_in_every_file()
    {
        string folder = _folders.Make();
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "SHA256SUMS"))
        {
            byte[] right = File.ReadAllBytes(file);
            byte[] wrong = [.. right];
            wrong[^2] ^= 1;
            File.WriteAllBytes(file, wrong);

            HashFile.Find(EvidenceFiles.Open(folder)).Should().ContainSingle().Which.Where.Should().Be(Path.GetRelativePath(folder, file));
            File.WriteAllBytes(file, right);
        }
    }

    [Test]
    public void File_that_was_added_or_taken_away_is_found()
    {
        string folder = _folders.Make();
        File.WriteAllText(Path.Combine(folder, "more.txt"), "more");
        File.Delete(Path.Combine(folder, "commands.txt"));

        Problems(folder).Select(problem => problem.ToString()).Should().Contain("more.txt: SHA256SUMS does not contain its hash.").And.Contain(text => text.Contains("'commands.txt' is not a file of the folder"));
    }

    [Test]
    public void Folder_without_hashes_was_not_made_to_its_end()
    {
        string folder = _folders.Make();
        File.Delete(Path.Combine(folder, "SHA256SUMS"));

        Problems(folder).Should().ContainSingle().Which.ToString().Should().Be("SHA256SUMS: it is missing: the folder is incomplete.");
    }

    [Test]
    public void Missing_repeat_is_found_even_if_everything_else_was_generated_again()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Samples, text => string.Concat(text.SplitLines().Where(line => !(line.Contains("\"round\":1") && line.Contains("\"long\"") && line.Contains("device") && line.Contains("false")))));
        EvidenceFolders.Remake(folder);

        Problems(folder).Should().ContainSingle().Which.ToString().Should().Be($"{Samples}: placement \"device\", prompt \"long\", stream false, round 1 is missing.");
    }

    [Test]
    public void Repeat_that_is_there_twice_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Samples, text => text + text.SplitLines()[0]);
        EvidenceFolders.Remake(folder);

        Problems(folder).Should().ContainSingle().Which.ToString().Should().EndWith("round 0 occurs 2 times.");
    }

    [TestCase("memory.jsonl")]
    [TestCase("quality.jsonl")]
    [TestCase("sweep.jsonl")]
    public void Missing_line_is_found(string bench)
    {
        string folder = _folders.Make();
        string file = $"models/{EvidenceFolders.Model}/{bench}";
        EvidenceFolders.Change(folder, file, text => bench == "memory.jsonl" ? string.Concat(text.SplitLines().Where(line => !line.Contains("idle"))) : string.Concat(text.SplitLines()[1..]));
        EvidenceFolders.Remake(folder);

        Problems(folder).Should().NotBeEmpty().And.OnlyContain(problem => problem.Where == file && problem.What.EndsWith("is missing."));
    }

    [Test]
    public void Figure_that_was_edited_in_the_report_is_found_though_the_hashes_fit()
    {
        string folder = _folders.Make();
        EvidenceFolders.Cheat(folder, "report.md", text => text.Replace("20.3 (20.0–20.5)", "29.3 (20.0–20.5)"));

        Problems(folder).Should().ContainSingle().Which.ToString().Should().StartWith("report.md:").And.Contain("20.3 (20.0–20.5)").And.Contain("29.3 (20.0–20.5)");
    }

    [Test]
    public void Figure_that_was_edited_in_the_manifest_is_found_by_its_id_and_lines()
    {
        const string Id = $"{EvidenceFolders.Model}/streaming/device/decode_tokens_per_second/median";
        string folder = _folders.Make();
        EvidenceFolders.Cheat(folder, "manifest.json", text => text.Replace($"\"id\":\"{Id}\",\"value\":20.25", $"\"id\":\"{Id}\",\"value\":29.25"));

        Problems(folder).Should().ContainSingle().Which.ToString().Should().StartWith($"{Id}: the manifest has 29.25 tokens/s, but decode_tokens_per_second in {Samples}:").And.EndWith("give 20.25 tokens/s.");
    }

    [Test]
    public void Figure_that_leaves_lines_out_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Cheat(folder, "manifest.json", text => string.Concat(text.SplitLines().Select(line => line.Contains("/streaming/device/tokens_per_second/median") ? line.Replace("\"lines\":[3,", "\"lines\":[") : line)));

        Problems(folder).Should().ContainSingle().Which.Should().Match<Problem>(problem => problem.Where.EndsWith("/streaming/device/tokens_per_second/median") && problem.What.Contains("it must be the median"));
    }

    [Test]
    public void Figure_that_is_missing_or_made_up_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Cheat(folder, "manifest.json", text => text.Replace("/quality/greedy/tokens/sum", "/quality/greedy/tokens/best"));

        Problems(folder).Select(problem => problem.ToString()).Should().BeEquivalentTo(
            $"{EvidenceFolders.Model}/quality/greedy/tokens/best: the manifest contains this figure, but no raw lines lead to it.",
            $"{EvidenceFolders.Model}/quality/greedy/tokens/sum: this figure follows from the raw lines, but the manifest does not contain it.");
    }

    [Test]
    public void Plot_that_was_redrawn_is_found()
    {
        string folder = _folders.Make();
        string plot = $"plots/{EvidenceFolders.Model}.memory.svg";
        EvidenceFolders.Cheat(folder, plot, text => text.Replace("MiB", "KiB"));

        Problems(folder).Should().ContainSingle().Which.Where.Should().StartWith(plot);
    }

    [Test]
    public void Expert_tensor_on_the_device_in_spite_of_offload_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Tensors, text => text.Replace("\"CPU\"", "\"RPC0\"").Replace("\"CPU_Mapped\"", "\"RPC0[127.0.0.1:50052]\"").Replace("\"host\":true", "\"host\":false"));
        EvidenceFolders.Remake(folder);

        Problems(folder).Select(problem => problem.ToString()).Should()
            .Contain($"{Tensors}:2: the expert tensor blk.0.ffn_up_exps.weight is in RPC0[127.0.0.1:50052] of RPC0; with offload it must be in system memory.")
            .And.Contain(text => text.StartsWith(Log) && text.Contains("1.00 MiB there") && text.Contains("3.00"));
    }

    [Test]
    public void Expert_tensor_in_system_memory_without_offload_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Tensors.Replace("offload", "device"), text => text.Replace("\"host\":false,\"expert\":true", "\"host\":true,\"expert\":true"));
        EvidenceFolders.Remake(folder);

        Problems(folder).Should().ContainSingle().Which.ToString().Should().StartWith(Tensors.Replace("offload", "device") + ":2: ").And.EndWith("without offload it must be on the device.");
    }

    [Test]
    public void Log_that_was_cut_off_is_found()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Log, text => text[..text.IndexOf("llama_context", StringComparison.Ordinal)]);
        EvidenceFolders.Remake(folder);

        Problems(folder).Select(problem => problem.ToString()).Should().Contain($"{Log}: it is incomplete: its last line does not contain the number of lines.").And.Contain($"{Log}: no line contains the context's length n_ctx.");
    }

    [TestCase("n_expert              = 16", "n_expert              = 61", "n_expert is 61 there, but 16 in model.json.")]
    [TestCase("expert_used_count u32              = 2", "expert_used_count u32              = 4", "expert_used_count in the metadata is 4 there, but 2 in model.json.")]
    [TestCase("n_ctx                 = 256", "n_ctx                 = 4096", "the context's length n_ctx is 4096 there, but 256 in model.json.")]
    [TestCase("buffer type overridden to CPU", "stays", "no line shows that the buffer type of blk.0.ffn_up_exps.weight was overridden.")]
    [TestCase("model buffer size =     1.00", "model buffer size =     0.50", "the buffer RPC0[127.0.0.1:50052] has 0.50 MiB there, but its tensors in models/little-moe/tensors-offload.jsonl have 1.00 MiB.")]
    public void Claim_that_is_not_in_the_log_is_found(string said, string changed, string problem)
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, Log, text => text.Replace(said, changed));
        EvidenceFolders.Remake(folder);

        Problems(folder).Should().ContainSingle().Which.ToString().Should().Be($"{Log}: {problem}");
    }

    [TestCase("manifest.json", "{")]
    [TestCase("manifest.json", "[]")]
    [TestCase("manifest.json", "{\"format\":1,\"format\":1}")]
    [TestCase("manifest.json", "{\"format\":2}")]
    [TestCase("manifest.json", "{\"format\":1,\"models\":[{\"name\":\"../../etc\"}]}")]
    [TestCase("manifest.json", "{\"format\":1,\"models\":[{\"name\":\"nowhere\",\"protocol\":{\"streaming\":{}}}]}")]
    [TestCase("machine.json", "\u0000\u0001")]
    [TestCase(Samples, "{\"bench\":\"streaming\",\"round\":\"x\",\"placement\":{},\"tokens\":[[]],\"tokens_per_second\":\"fast\"}\n")]
    [TestCase(Samples, "{\"bench\":\"streaming\",\"round\":0,\"placement\":\"device\",\"tokens\":1e999}\n")]
    [TestCase(Samples, "\n\n")]
    [TestCase(Tensors, "{\"name\":7,\"bytes\":\"many\"}\n")]
    [TestCase("SHA256SUMS", "0000000000000000000000000000000000000000000000000000000000000000  ../../../../etc/passwd\n")]
    [TestCase("SHA256SUMS", "nonsense")]
    public void Hostile_content_is_a_problem_and_no_crash(string file, string content)
    {
        string folder = _folders.Make();
        File.WriteAllText(Path.Combine(folder, file), content);

        Problems(folder).Should().NotBeEmpty().And.OnlyContain(problem => !problem.ToString().Contains('\n'));
    }

    [Test]
    public void Link_out_of_the_folder_is_not_followed()
    {
        string folder = _folders.Make();
        File.Delete(Path.Combine(folder, "machine.json"));
        File.CreateSymbolicLink(Path.Combine(folder, "machine.json"), "/etc/hostname");

        Problems(folder).Should().ContainSingle().Which.ToString().Should().Be("machine.json: it is a link, but evidence must be in the folder itself.");
    }

    [Test]
    public void Huge_file_is_refused_unread()
    {
        string folder = _folders.Make();
        using (FileStream file = File.OpenWrite(Path.Combine(folder, Samples)))
        {
            file.SetLength(10L << 30);
        }

        Problems(folder).Should().ContainSingle().Which.ToString().Should().StartWith($"{Samples}: it has 10737418240 bytes, which is too large");
    }

    private static IReadOnlyList<Problem> Problems(string folder) => EvidenceVerifier.Verify(folder).Problems;
}

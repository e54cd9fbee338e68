using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>A damaged file ends in a documented exception, or in a model that works: never in a crash, a hang or a flood of memory.</summary>
[TestFixture]
public sealed class DamagedFileTests
{
    private const int FlipsPerModel = 125;
    private const long MemoryBound = 256 << 20;

    private static readonly TinyModelOptions s_small = new() { Layers = 2, VocabularySize = 512, ContextLength = 256, ExpertsUsed = 2 };

    private string _path = null!;

    public static IEnumerable<TinyModel> Architectures() =>
    [
        TinyModels.PhiMoe(s_small with { Experts = 4 }),
        TinyModels.GptOss(s_small with { Experts = 4 }),
        TinyModels.DeepSeek(s_small with { Experts = 8 }),
        TinyModels.Qwen3Moe(s_small with { Experts = 8, WeightType = GgmlType.Q8_0 }),
    ];

    [SetUp]
    public void MakePath() => _path = Path.Combine(Path.GetTempPath(), $"MoeOffload beschädigt {Environment.ProcessId}.gguf");

    [TearDown]
    public void DeleteFile() => File.Delete(_path);

    [TestCaseSource(nameof(Architectures))]
    public async Task Load_of_a_file_with_a_flipped_bit_fails_as_documented_or_works(TinyModel model)
    {
        byte[] bytes = File.ReadAllBytes(model.Path);
        int header = (int)GgufFile.Open(model.Path).DataOffset;
        var random = new Random(FlipsPerModel);
        File.WriteAllBytes(_path, bytes);
        long peak = Peak();
        int worked = 0;
        for (int i = 0; i < FlipsPerModel; i++)
        {
            int place = Place(random, header, bytes.Length);
            byte damaged = (byte)(bytes[place] ^ (1 << random.Next(8)));
            Patch(place, damaged);
            worked += await Works($"bit flipped at {place}: {bytes[place]:X2} to {damaged:X2}") ? 1 : 0;
            Patch(place, bytes[place]);
        }

        worked.Should().BeInRange(1, FlipsPerModel - 1, "some flips are harmless, others are not");
        (Peak() - peak).Should().BeLessThan(MemoryBound);
        (await Works("undamaged again")).Should().BeTrue();
    }

    [Test]
    public void Load_of_a_truncated_file_says_that_it_is_damaged()
    {
        byte[] bytes = File.ReadAllBytes(SmallModel.File.Path);
        GgufFile whole = GgufFile.Open(SmallModel.File.Path);
        IEnumerable<long> lengths = Enumerable.Range(1, 35).Select(i => whole.DataOffset * i / 36)
            .Concat(Enumerable.Range(0, 15).Select(i => whole.DataOffset + ((whole.Length - whole.DataOffset) * i / 15)));
        foreach (long length in lengths)
        {
            File.WriteAllBytes(_path, bytes[..(int)length]);
            Load().Should().Throw<GgufFormatException>($"only {length} of {bytes.Length} bytes are left");
        }
    }

    [TestCase("")]
    [TestCase("GGUF")]
    [TestCase("GGML and then something else, long enough for a header")]
    [TestCase("<!DOCTYPE html><html><body>Not found</body></html>")]
    public void Load_of_another_file_says_that_it_is_not_a_model(string content)
    {
        File.WriteAllText(_path, content);
        Load().Should().Throw<GgufFormatException>().WithMessage($"*{Path.GetFileName(_path)}*");
    }

    [Test]
    public void Load_of_an_unknown_architecture_gives_llama_cpps_reason()
    {
        var writer = new GgufWriter();
        foreach ((string key, GgufValue value) in GgufFile.Open(SmallModel.File.Path).Metadata)
        {
            writer.Set(key.Replace("qwen3moe", "qwen9moe", StringComparison.Ordinal), value);
        }

        writer.Set(GgufKeys.Architecture, "qwen9moe");
        writer.AddTensor("token_embd.weight", GgmlType.F32, [32], (_, destination) => destination.Clear());
        writer.Write(_path);
        Load().Should().Throw<ModelLoadException>().WithMessage("*unknown model architecture*qwen9moe*");
    }

    [Test]
    public void Load_of_a_file_without_one_of_its_tensors_names_the_tensor()
    {
        byte[] bytes = File.ReadAllBytes(SmallModel.File.Path);
        int name = bytes.AsSpan().IndexOf("blk.1.ffn_norm.weight"u8);
        "blk.7.ffn_norm.weight"u8.CopyTo(bytes.AsSpan(name));
        File.WriteAllBytes(_path, bytes);
        Load().Should().Throw<ModelLoadException>().WithMessage("*blk.1.ffn_norm.weight*");
    }

    [Test]
    public void Load_of_a_missing_file_names_it() =>
        Load().Should().Throw<FileNotFoundException>().WithMessage($"*{Path.GetFileName(_path)}*");

    [Test]
    public void Load_of_a_directory_says_so() =>
        FluentActions.Invoking(() => MoeModel.Load(Path.GetTempPath())).Should().Throw<IOException>().WithMessage("*is a folder*");

    // The superuser can read files regardless of their mode, except for kernel settings that nobody can read.
    [Test, Platform("Linux")]
    public void Load_of_a_file_without_permission_says_so()
    {
        string path = "/proc/sys/vm/compact_memory";
        if (!OperatingSystem.IsWindows() && !Environment.IsPrivilegedProcess)
        {
            File.WriteAllText(path = _path, "GGUF");
            File.SetUnixFileMode(path, UnixFileMode.None);
        }

        FluentActions.Invoking(() => MoeModel.Load(path)).Should().Throw<UnauthorizedAccessException>();
    }

    [Test]
    public void Load_of_a_split_model_without_a_part_names_the_part()
    {
        string folder = Directory.CreateTempSubdirectory("MoeOffload Teile ").FullName;
        try
        {
            var writer = new GgufWriter();
            writer.Set(GgufKeys.Architecture, "llama");
            writer.Set("split.no", (ushort)0);
            writer.Set("split.count", (ushort)3);
            writer.Set("split.tensors.count", 5);
            string first = Path.Combine(folder, "model-00001-of-00003.gguf");
            writer.Write(first);
            FluentActions.Invoking(() => MoeModel.Load(first)).Should().Throw<FileNotFoundException>().WithMessage("*2 of 3*00002-of-00003*");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Half of the flips into hyperparameters and tensor descriptions, which are few bytes between a long vocabulary and the weights.
    private static int Place(Random random, int header, int length) => random.NextDouble() switch
    {
        < 0.3 => random.Next(1000),
        < 0.6 => random.Next(header - 2200, header),
        < 0.85 => random.Next(header),
        _ => random.Next(header, length),
    };

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private void Patch(int place, byte value)
    {
        using FileStream file = File.OpenWrite(_path);
        file.Position = place;
        file.WriteByte(value);
    }

    private Action Load() => () => MoeModel.Load(_path).Dispose();

    private async Task<bool> Works(string damage)
    {
        try
        {
            using MoeModel model = MoeModel.Load(_path);
            using GenerationSession session = model.CreateSession(SmallModel.Context(64));
            List<GeneratedToken> tokens = await SmallModel.Read(session.GenerateAsync("Hello, the world was", SamplingOptions.Greedy, 4));
            tokens.Should().HaveCountLessThanOrEqualTo(4, damage);
            return true;
        }
        catch (Exception exception) when (exception is not AssertionException)
        {
            bool isDocumented = exception is GgufFormatException or ModelLoadException or InferenceException or NotSupportedException;
            isDocumented.Should().BeTrue($"{damage} threw {exception}");
            return false;
        }
    }
}

using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Images;

/// <summary>How a model gets its projector, and what memory that takes.</summary>
[TestFixture]
public sealed class ProjectorTests
{
    [TestCase("mmproj-F16.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", true)]
    [TestCase("mmproj-model-f16.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", true)]
    [TestCase("mmproj-Tiny-30B-A3B-BF16.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", true)]
    [TestCase("Tiny-30B-A3B.mmproj-Q8_0.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", true)]
    [TestCase("mmproj-Tiny-VL-30B-A3B-F16.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", false)]
    [TestCase("projector.gguf", "Tiny-30B-A3B-Q4_K_M.gguf", false)]
    public void Projector_beside_a_model_is_found_by_its_name(string projector, string model, bool isFound)
    {
        using var directory = new TemporaryDirectory();
        string path = Copy(directory, VisionModels.TextFile.Path, model);
        Copy(directory, TinyProjectors.Gemma3(VisionModels.TextFile), projector);
        using var loaded = MoeModel.Load(path);
        loaded.Info.SupportsVision.Should().Be(isFound);
        using var without = MoeModel.Load(path, new ModelOptions { FindProjector = false });
        without.Info.SupportsVision.Should().BeFalse();
    }

    [Test]
    public void Projector_without_a_name_belongs_to_the_only_model_of_its_directory()
    {
        using var directory = new TemporaryDirectory();
        string path = Copy(directory, VisionModels.TextFile.Path, "Tiny-30B-Q8_0.gguf");
        Copy(directory, VisionModels.TextFile.Path, "Tiny-30B-Q4_0.gguf");
        Copy(directory, TinyProjectors.Gemma3(VisionModels.TextFile), "mmproj-F16.gguf");
        using (var model = MoeModel.Load(path))
        {
            model.Info.SupportsVision.Should().BeTrue();
        }

        Copy(directory, VisionModels.TextFile.Path, "Other-30B-Q4_0.gguf");
        var log = new RecordedLog();
        using var ambiguous = MoeModel.Load(path, new ModelOptions { LoggerFactory = log });
        ambiguous.Info.SupportsVision.Should().BeFalse();
        log.Lines.Should().Contain(line => line.Text.Contains("mmproj-F16.gguf") && line.Text.Contains("ProjectorPath"));
    }

    [Test]
    public void Wrong_projector_is_refused_if_it_was_specified_and_left_out_if_it_was_found()
    {
        string other = TinyProjectors.Gemma3(TinyModels.Olmoe(new TinyModelOptions { EmbeddingLength = 256 }));
        FluentActions.Invoking(() => MoeModel.Load(VisionModels.TextFile.Path, new ModelOptions { ProjectorPath = other }))
            .Should().Throw<ModelLoadException>().WithMessage("*mmproj*");
        FluentActions.Invoking(() => MoeModel.Load(VisionModels.TextFile.Path, new ModelOptions { ProjectorPath = VisionModels.MropeFile.Path }))
            .Should().Throw<ModelLoadException>().WithMessage("*not a projector*");
        FluentActions.Invoking(() => MoeModel.Load(VisionModels.TextFile.Path, new ModelOptions { ProjectorPath = "nowhere.gguf" }))
            .Should().Throw<Exception>().WithMessage("*nowhere.gguf*");

        using var directory = new TemporaryDirectory();
        string path = Copy(directory, VisionModels.TextFile.Path, "model.gguf");
        Copy(directory, other, "mmproj.gguf");
        using var model = MoeModel.Load(path);
        model.Info.SupportsVision.Should().BeFalse();
    }

    [TestCase("clip.vision.patch_size")]
    [TestCase("clip.vision.attention.head_count")]
    [TestCase("clip.vision.block_count")]
    public void Damaged_projector_is_refused_without_harm(string key)
    {
        string path = AlteredModels.Alter(TinyProjectors.Gemma3(VisionModels.TextFile), "projector", writer => writer.Set(key, 0u));
        FluentActions.Invoking(() => MoeModel.Load(VisionModels.TextFile.Path, new ModelOptions { ProjectorPath = path }))
            .Should().Throw<ModelLoadException>().WithMessage($"*{key}*");
    }

    [Test]
    public void Memory_of_the_projector_is_estimated_and_reported()
    {
        var options = new ModelOptions { ProjectorPath = VisionModels.Square.Projector!.Path, LoadMode = LoadMode.None };
        var context = SmallModel.Context(256);
        MemoryBreakdown with = MoeModel.EstimateMemory(VisionModels.TextFile.Path, options, context);
        MemoryBreakdown without = MoeModel.EstimateMemory(VisionModels.TextFile.Path, options with { ProjectorPath = null, FindProjector = false }, context);
        long bytes = new FileInfo(options.ProjectorPath).Length;
        (with.Total.TotalBytes - without.Total.TotalBytes).Should().BeGreaterThan(bytes);
        using var model = MoeModel.Load(VisionModels.TextFile.Path, options);
        using GenerationSession session = model.CreateSession(context);
        session.Memory.Total.TotalBytes.Should().Be(with.Total.TotalBytes);

        var fit = new FitOptions { HostBytes = 1 << 30 };
        PlacementPlan plan = MoeModel.Fit(VisionModels.TextFile.Path, options, context, fit);
        PlacementPlan plain = MoeModel.Fit(VisionModels.TextFile.Path, options with { ProjectorPath = null, FindProjector = false }, context, fit);
        (plain.Memory[^1].FreeBytes - plan.Memory[^1].FreeBytes).Should().BeGreaterThan(bytes / 2, "its memory is not free for the model");
    }

    private static string Copy(TemporaryDirectory directory, string source, string name)
    {
        string path = Path.Combine(directory.Path, name);
        File.Copy(source, path);
        return path;
    }
}

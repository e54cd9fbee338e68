using FluentAssertions;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

[TestFixture]
public sealed class GgufModelFilesTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("größe und teile ").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Model_in_one_file_opens()
    {
        var path = Path.Combine(_folder, "one.gguf");
        SevenTensors().Write(path);

        var model = GgufModelFiles.Open(path);

        model.Path.Should().Be(path);
        model.Tensors.Should().HaveCount(7);
        model.Length.Should().Be(new FileInfo(path).Length);
    }

    [TestCase(0)]
    [TestCase(2)]
    public void Split_model_opens_by_any_of_its_parts(int opened)
    {
        var paths = SevenTensors().WriteSplit(Path.Combine(_folder, "model"), tensorsPerPart: 3);

        var model = GgufModelFiles.Open(paths[opened]);

        paths.Select(Path.GetFileName).Should().Equal("model-00001-of-00003.gguf", "model-00002-of-00003.gguf", "model-00003-of-00003.gguf");
        model.Path.Should().Be(paths[0]);
        model.Metadata.TryGetString(GgufKeys.Architecture, out _).Should().BeTrue();
        model.Tensors.Select(tensor => tensor.Part).Should().Equal(0, 0, 0, 1, 1, 1, 2);
        model.Parts.Select(part => part.Split!.Value.TensorCount).Should().Equal(7, 7, 7);
    }

    [Test]
    public void Missing_part_is_named()
    {
        var paths = SevenTensors().WriteSplit(Path.Combine(_folder, "model"), tensorsPerPart: 3);
        File.Delete(paths[1]);

        FluentActions.Invoking(() => GgufModelFiles.Open(paths[0])).Should().Throw<FileNotFoundException>()
            .WithMessage("*Part 2 of 3*model-00002-of-00003.gguf*").Which.FileName.Should().Be(paths[1]);
    }

    [Test]
    public void Renamed_part_is_refused_with_the_name_it_should_have()
    {
        var paths = SevenTensors().WriteSplit(Path.Combine(_folder, "model"), tensorsPerPart: 3);
        var renamed = Path.Combine(_folder, "first.gguf");
        File.Move(paths[0], renamed);

        FluentActions.Invoking(() => GgufModelFiles.Open(renamed)).Should().Throw<GgufFormatException>().WithMessage("*rename it to 'NAME-00001-of-00003.gguf'*");
    }

    [Test]
    public void Part_of_another_model_is_refused()
    {
        var paths = SevenTensors().WriteSplit(Path.Combine(_folder, "model"), tensorsPerPart: 3);
        File.Copy(paths[2], paths[1], overwrite: true);

        FluentActions.Invoking(() => GgufModelFiles.Open(paths[0])).Should().Throw<GgufFormatException>().WithMessage("*part 2 of 3*another model*");
    }

    [Test]
    public void Truncated_part_is_refused_by_its_name()
    {
        var paths = SevenTensors().WriteSplit(Path.Combine(_folder, "model"), tensorsPerPart: 3);
        using (var part = File.OpenWrite(paths[1]))
        {
            part.SetLength(part.Length - 64);
        }

        FluentActions.Invoking(() => GgufModelFiles.Open(paths[0])).Should().Throw<GgufFormatException>().WithMessage("*model-00002-of-00003.gguf*truncated*");
    }

    private static GgufWriter SevenTensors()
    {
        var writer = new GgufWriter();
        writer.Set(GgufKeys.Architecture, "llama");
        for (var i = 0; i < 7; i++)
        {
            writer.AddTensor($"tensor.{i}", GgmlType.F32, [16], new byte[64]);
        }

        return writer;
    }
}

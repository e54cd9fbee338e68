using FluentAssertions;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

/// <summary>A file that cannot be written whole does not take the place of one that exists.</summary>
[TestFixture]
public sealed class GgufWriterTests
{
    private string _folder = string.Empty;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("moe gguf ä").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void File_whose_source_fails_keeps_its_former_content()
    {
        string path = Path.Combine(_folder, "model.gguf");
        Writer(TensorsThatWork).Write(path);
        byte[] before = File.ReadAllBytes(path);

        FluentActions.Invoking(() => Writer(TensorsThatFail).Write(path)).Should().Throw<IOException>().WithMessage("*source*");

        File.ReadAllBytes(path).Should().Equal(before);
        Directory.GetFiles(_folder).Should().Equal(path);
    }

    [Test]
    public void File_that_did_not_exist_is_not_left_half_written()
    {
        FluentActions.Invoking(() => Writer(TensorsThatFail).Write(Path.Combine(_folder, "model.gguf"))).Should().Throw<IOException>();

        Directory.GetFiles(_folder).Should().BeEmpty();
    }

    [Test]
    public void Split_model_of_which_one_part_fails_keeps_the_former_content_of_all_parts()
    {
        string prefix = Path.Combine(_folder, "model");
        IReadOnlyList<string> paths = Writer(TensorsThatWork).WriteSplit(prefix, tensorsPerPart: 1);
        byte[][] before = [.. paths.Select(File.ReadAllBytes)];

        FluentActions.Invoking(() => Writer(TensorsThatFail).WriteSplit(prefix, tensorsPerPart: 1)).Should().Throw<IOException>();

        paths.Select(File.ReadAllBytes).Should().BeEquivalentTo(before, options => options.WithStrictOrdering());
        Directory.GetFiles(_folder).Should().BeEquivalentTo(paths);
    }

    private static void TensorsThatWork(int tensor, Span<byte> destination) => destination.Fill((byte)tensor);

    private static void TensorsThatFail(int tensor, Span<byte> destination)
    {
        if (tensor == 2)
        {
            throw new IOException("The source failed.");
        }

        destination.Fill((byte)(100 + tensor));
    }

    private static GgufWriter Writer(TensorFill fill)
    {
        var writer = new GgufWriter();
        for (int i = 0; i < 3; i++)
        {
            int tensor = i;
            writer.AddTensor($"tensor {tensor}", GgmlType.F32, [64], (_, destination) => fill(tensor, destination));
        }

        return writer;
    }

    private delegate void TensorFill(int tensor, Span<byte> destination);
}

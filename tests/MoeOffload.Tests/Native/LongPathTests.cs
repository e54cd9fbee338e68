using FluentAssertions;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
public sealed class LongPathTests
{
    private static readonly string s_long = new('a', 260);

    [TestCase(@"C:\models\tiny.gguf", @"C:\models\tiny.gguf")]
    [TestCase(@"tiny.gguf", @"C:\models\tiny.gguf")]
    public void Path_of_usual_length_is_not_changed(string path, string full) => LongPath.Extend(path, _ => full).Should().Be(path);

    [Test]
    public void Longest_usual_path_is_not_changed_and_a_longer_one_is()
    {
        string longest = @"C:\" + new string('a', 256);

        LongPath.Extend(longest, static path => path).Should().Be(longest);
        LongPath.Extend(longest + "b", static path => path).Should().Be(@"\\?\" + longest + "b");
    }

    [Test]
    public void Relative_path_is_replaced_by_its_full_one_if_that_is_long() =>
        LongPath.Extend("tiny.gguf", _ => @"C:\" + s_long + @"\tiny.gguf").Should().Be(@"\\?\C:\" + s_long + @"\tiny.gguf");

    [Test]
    public void Path_on_a_share_gets_the_prefix_for_shares() =>
        LongPath.Extend(@"\\server\share\" + s_long, static path => path).Should().Be(@"\\?\UNC\server\share\" + s_long);

    [TestCase(@"\\?\C:\")]
    [TestCase(@"\\.\C:\")]
    public void Path_that_is_passed_as_it_is_is_not_changed(string prefix) =>
        LongPath.Extend(prefix + s_long, static path => path).Should().Be(prefix + s_long);

    [Test]
    public void Model_in_a_deep_directory_is_loaded()
    {
        string root = Directory.CreateTempSubdirectory("moe tief ").FullName;
        try
        {
            string directory = Directory.CreateDirectory(Path.Combine(root, new string('ä', 100), new string('b', 100), new string('c', 100))).FullName;
            string path = Path.Combine(directory, "größe.gguf");
            File.Copy(Fixtures.TinyModels.GptOss().Path, path);
            path.Length.Should().BeGreaterThan(300);

            using MoeModel model = MoeModel.Load(path);
            model.Info.ExpertCount.Should().BePositive();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}

using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>A loaded model does not need its file any more. Windows lets nobody delete the file as long as it is loaded.</summary>
[Platform(Exclude = "Win")]
public sealed class ModelFileGoneTests
{
    // The second one is so long that its memory is estimated before it is made.
    [TestCase(512)]
    [TestCase(1 << 18)]
    public void Session_is_created_after_the_file_was_deleted(int contextLength)
    {
        string path = Path.Combine(Path.GetTempPath(), $"moe gone {Guid.NewGuid():N}.gguf");
        File.Copy(TinyModels.Olmoe().Path, path);
        using MoeModel model = MoeModel.Load(path);
        File.Delete(path);

        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = contextLength });

        session.ContextLength.Should().Be(contextLength);
    }
}

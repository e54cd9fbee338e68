using MoeOffload.Inference.Planning;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>A reader that has room as a test says.</summary>
internal sealed class TestOutput : IRequestOutput
{
    public bool IsCancelled { get; set; }

    public int Room { get; set; } = 256;

    public int HandOverCount { get; private set; }

    public bool HasRoom() => Room > 0;

    public void HandOver() => HandOverCount++;

    public void HandOver(long now, long nextStep)
    {
    }
}

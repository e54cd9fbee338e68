using FluentAssertions;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

public sealed class LargeStackTests
{
    [Test]
    public void Thread_does_not_keep_a_program_alive_that_ends()
    {
        bool isBackground = false;

        LargeStack.Run(1 << 20, () => isBackground = Thread.CurrentThread.IsBackground);

        isBackground.Should().BeTrue();
    }

    [Test]
    public void Exception_reaches_the_caller() =>
        FluentActions.Invoking(() => LargeStack.Run(1 << 20, () => throw new InvalidOperationException("deep")))
            .Should().Throw<InvalidOperationException>().WithMessage("deep");
}

using FluentAssertions;
using MoeOffload.Cli.Errors;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Errors;

/// <summary>Checks how exceptions of the library are reported to the user of the command.</summary>
[TestFixture]
public sealed class FailureTests
{
    [Test]
    public void Option_that_the_library_refuses_is_a_usage_error_with_the_options_name()
    {
        var error = new ArgumentOutOfRangeException("TopK", "Use 0 or more.");

        Failure.LineOf(error).Should().Be("--top-k: Use 0 or more.");
        Failure.CodeOf(error).Should().Be(ExitCode.Usage);
    }

    [Test]
    public void Other_argument_is_a_failure_without_nets_words()
    {
        var error = new ArgumentException("The prompt has no token.", "request");

        Failure.LineOf(error).Should().Be("The prompt has no token.");
        Failure.CodeOf(error).Should().Be(ExitCode.Failure);
    }

    [Test]
    public void Name_is_not_said_twice() =>
        Failure.LineOf(new ArgumentException("Grammar: line 1 has no rule.", "grammar")).Should().Be("Grammar: line 1 has no rule.");

    [TestCase("set ContextOptions.ContextLength higher (it is divided by SequenceCount).", "set --ctx-size higher (it is divided by --parallel).")]
    [TestCase("set MicroBatchSize higher, or MaxDraftTokens lower.", "set --ubatch-size higher, or --spec-draft-n-max lower.")]
    [TestCase("or set ModelOptions.NativeLibraryDirectory. Tried: /x", "or set --native-dir. Tried: /x")]
    [TestCase("Grammar and Seed begin this sentence about OpenAI.", "Grammar and Seed begin this sentence about OpenAI.")]
    public void Members_of_the_library_are_options_in_messages(string message, string expected) =>
        Failure.LineOf(new InvalidOperationException(message)).Should().Be(expected);
}

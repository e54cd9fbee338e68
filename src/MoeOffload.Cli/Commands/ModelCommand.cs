using System.CommandLine;
using System.CommandLine.Help;

namespace MoeOffload.Cli.Commands;

/// <summary><c>moe model</c>: commands that make model files.</summary>
internal sealed class ModelCommand : ICliCommand
{
    public Command Command { get; } = new("model", "Make model files");

    public IReadOnlyList<ICliCommand> Commands { get; } = [new SynthCommand()];

    public Task<int> RunAsync(Invocation invocation) => Task.FromResult(new HelpAction().Invoke(invocation.Parsed));
}

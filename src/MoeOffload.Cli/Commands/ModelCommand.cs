using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe model</c>, the parent of the commands that write model files.</summary>
internal sealed class ModelCommand : ICliCommand
{
    public Command Command { get; } = new("model", "Create model files");

    public IReadOnlyList<ICliCommand> Subcommands { get; } = [new SynthCommand()];

    public Task<int> RunAsync(Invocation invocation) =>
        throw new UsageException($"'moe model' requires a command: {string.Join(", ", Subcommands.Select(command => command.Command.Name))}. See 'moe model --help'.");
}

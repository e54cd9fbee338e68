using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence</c>, the parent of the commands for folders of measurements that others can check.</summary>
internal sealed class EvidenceCommand : ICliCommand
{
    public EvidenceCommand(GlobalOptions global) => Subcommands =
    [
        new EvidenceMakeCommand(global), new EvidenceVerifyCommand(), new EvidenceCompareCommand(), new EvidenceFiguresCommand(), new EvidenceRenderCommand(),
        new EvidenceReportCommand(),
    ];

    public Command Command { get; } = new("evidence", "Measure models, verify the resulting folders of evidence, and use their figures in texts");

    public IReadOnlyList<ICliCommand> Subcommands { get; }

    public Task<int> RunAsync(Invocation invocation) =>
        throw new UsageException($"'moe evidence' requires a command: {string.Join(", ", Subcommands.Select(command => command.Command.Name))}. See 'moe evidence --help'.");
}

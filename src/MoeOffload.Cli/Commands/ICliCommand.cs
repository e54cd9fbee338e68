using System.CommandLine;
using MoeOffload.Cli.Options;

namespace MoeOffload.Cli.Commands;

/// <summary>Represents one of the commands of <c>moe</c>.</summary>
internal interface ICliCommand
{
    /// <summary>Gets the command's name, arguments and options.</summary>
    Command Command { get; }

    /// <summary>Gets the subcommands.</summary>
    IReadOnlyList<ICliCommand> Subcommands => [];

    /// <summary>Runs the command.</summary>
    /// <returns>The exit code.</returns>
    Task<int> RunAsync(Invocation invocation);
}

using System.CommandLine;
using MoeOffload.Cli.Options;

namespace MoeOffload.Cli.Commands;

/// <summary>One of the commands under <c>moe</c>.</summary>
internal interface ICliCommand
{
    /// <summary>Its name, arguments and options.</summary>
    Command Command { get; }

    /// <summary>The commands under it.</summary>
    IReadOnlyList<ICliCommand> Subcommands => [];

    /// <summary>Does what it is asked.</summary>
    /// <returns>The exit code.</returns>
    Task<int> RunAsync(Invocation invocation);
}

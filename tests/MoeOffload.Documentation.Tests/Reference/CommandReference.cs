using System.CommandLine;
using System.Text;
using MoeOffload.Cli;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Settings;
using MoeOffload.Hosting.Settings;

namespace MoeOffload.Documentation.Tests.Reference;

/// <summary>Describes the command <c>moe</c> by what its help is made of.</summary>
internal static class CommandReference
{
    /// <summary>Describes the commands and their options.</summary>
    public static string DescribeOptions()
    {
        RootCommand root = Build();
        StringBuilder page = ReferencePages.Begin(
            "Options of the command",
            "These are the commands of `moe` with their options, as `moe COMMAND --help` shows them. [The command moe](../cli.md) explains them, with their ranges.");
        page.Append("## All commands\n\n").AppendTable(["Option", "Value", ""], root.Options.Where(option => option.Recursive && IsOwn(option)).Select(Row));
        foreach (Command command in WithThoseUnder(root).Skip(1).Where(command => !command.Hidden))
        {
            page.Append("\n## moe ").Append(SettingSources.NameOf(command)).Append("\n\n").Append(command.Description).Append(".\n");
            Argument[] arguments = [.. command.Arguments.Where(argument => !argument.Hidden)];
            if (arguments.Length > 0)
            {
                page.Append('\n').AppendTable(["Argument", ""], arguments.Select(argument => new[] { ReferencePages.Code(argument.HelpName ?? argument.Name), argument.Description ?? string.Empty }));
            }

            Option[] options = [.. command.Options.Where(IsOwn)];
            if (options.Length > 0)
            {
                page.Append('\n').AppendTable(["Option", "Value", ""], options.Select(Row));
            }
        }

        return page.ToString();
    }

    /// <summary>Describes where each option can be set.</summary>
    public static string DescribeConfiguration()
    {
        RootCommand root = Build();
        Dictionary<string, string> keys = SettingTable.All.Where(setting => setting.Option is not null)
            .GroupBy(setting => setting.Option!)
            .ToDictionary(group => group.Key, group => string.Join(", ", group.Select(setting => ReferencePages.Code(setting.Key))));
        StringBuilder page = ReferencePages.Begin(
            "Configuration keys",
            "An option of the command can also be set by an environment variable, or in the [configuration file](../cli.md#configuration-file) of the command. An application with a .NET host has "
            + "a key of its own in the section `MoeOffload`, whose values [the page about hosts](../hosting.md#keys) describes.");
        page.AppendTable(
            ["Option", "Environment variable", "Key of the command's file", "Key of a host"],
            WithThoseUnder(root).SelectMany(command => command.Options).Where(IsOwn)
                .DistinctBy(option => option.Name)
                .OrderBy(option => option.Name, StringComparer.Ordinal)
                .Select(option => new[]
                {
                    ReferencePages.Code(option.Name), ReferencePages.Code(SettingSources.VariableOf(option)), ReferencePages.Code(SettingSources.KeyOf(option)),
                    keys.GetValueOrDefault(option.Name, string.Empty),
                }));
        page.Append("\n## Keys of a host alone\n\nThese keys have no option of the command.\n\n").AppendTable(
            ["Key of a host"], SettingTable.All.Where(setting => setting.Option is null).Select(setting => new[] { ReferencePages.Code(setting.Key) }));
        return page.ToString();
    }

    private static RootCommand Build() => MoeCommand.Build(new GlobalOptions(), static (command, _) => command.SetAction(static (_, _) => Task.FromResult(0)));

    private static IEnumerable<Command> WithThoseUnder(Command command) => command.Subcommands.SelectMany(WithThoseUnder).Prepend(command);

    private static bool IsOwn(Option option) => option is not (System.CommandLine.Help.HelpOption or VersionOption) && !option.Hidden;

    private static string[] Row(Option option) =>
    [
        string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Prepend(option.Name).Select(ReferencePages.Code)),
        option.ValueType == typeof(bool) ? string.Empty : ReferencePages.Code(option.HelpName),
        option.Description ?? string.Empty,
    ];
}

using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe completion</c>, which prints a script that lets a shell complete commands, options and model names.</summary>
internal sealed class CompletionCommand : ICliCommand
{
    // Each script calls moe itself. [suggest:N] is System.CommandLine's directive, where N is the position of the cursor in the line.
    private static readonly Dictionary<string, string> s_scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            _moe_complete() {
                local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
                COMPREPLY=($(compgen -W "$(moe "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word"))
                # bash takes a colon for the end of a word; model names have some.
                declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
            }
            complete -o default -F _moe_complete moe
            """,
        ["zsh"] = """
            #compdef moe
            _moe() {
                local -a completions
                completions=("${(@f)$(moe "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
                compadd -- "${completions[@]}"
                _files
            }
            compdef _moe moe
            """,
        ["fish"] = """
            complete -c moe -a '(moe "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
            """,
        ["pwsh"] = """
            Register-ArgumentCompleter -Native -CommandName moe -ScriptBlock {
                param($word, $line, $position)
                moe "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }
            """,
    };

    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh, fish or pwsh" };

    public CompletionCommand()
    {
        _shell.AcceptOnlyFromAmong([.. s_scripts.Keys]);
        Command = new Command("completion", "Print a completion script for a shell; for bash: eval \"$(moe completion bash)\"") { _shell };
    }

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        invocation.Terminal.Out.WriteLine(s_scripts[invocation.Parsed.GetValue(_shell)!]);
        return Task.FromResult(ExitCode.Success);
    }
}

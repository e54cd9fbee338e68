using System.CommandLine;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the prompt of a command that answers once.</summary>
internal sealed class PromptArguments
{
    private readonly Option<string?> _prompt = Opt.Text("TEXT", "The prompt; - reads it from standard input", "--prompt", "-p");
    private readonly Option<string?> _file = Opt.Text("PATH", "Read the prompt from a file", "--file", "-f");

    public void AddTo(Command command)
    {
        command.Options.Add(_prompt);
        command.Options.Add(_file);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_prompt) is not null && result.GetValue(_file) is not null)
            {
                result.AddError("--prompt and --file cannot be combined: use one of them.");
            }
        });
    }

    /// <summary>Reads the prompt.</summary>
    /// <exception cref="UsageException">No prompt is given.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public async Task<string> ReadAsync(Invocation invocation)
    {
        string? prompt = invocation.Parsed.GetValue(_file) is { } path
            ? await File.ReadAllTextAsync(path, invocation.Cancelled).ConfigureAwait(false)
            : invocation.Parsed.GetValue(_prompt);
        if (prompt == "-" || (prompt is null && !invocation.Terminal.IsInputTyped))
        {
            prompt = await Console.In.ReadToEndAsync(invocation.Cancelled).ConfigureAwait(false);
        }

        // As in llama.cpp, the line break at the end of a file is not part of the prompt.
        if (prompt is [.. var text, '\n'] && prompt != invocation.Parsed.GetValue(_prompt))
        {
            prompt = text.TrimEnd('\r');
        }

        return string.IsNullOrEmpty(prompt) ? throw new UsageException("No prompt is given: use --prompt or --file, or write it to standard input.") : prompt;
    }
}

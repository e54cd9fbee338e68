using System.Globalization;
using System.Text;
using MoeOffload.Catalog;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Commands;

/// <summary>Runs the chat in a terminal: reads messages, answers them, and runs the commands that start with <c>/</c>.</summary>
internal sealed class ChatLoop(
    Invocation invocation, CatalogEntry entry, MoeModel model, GenerationSession session, ChatSession chat, History history)
{
    private const string BlockMark = "\"\"\"";

    private const string Help = """"
        /help              list the commands
        /clear             start over with an empty chat
        /undo              remove the last question and its answer
        /retry             answer the last question again
        /image PATH        add an image to the next question; without PATH, remove the added ones
        /system [TEXT]     show or set the system message; "" removes it
        /set               show the settings
        /set NAME VALUE    temperature, top_k, top_p, min_p, repeat_penalty, seed (-1: random), max_tokens (-1: no limit), thinking (on, off)
        /show              show the model, its memory, and the context in use
        /experts           show which experts were chosen (with --count-experts)
        /save PATH         save the chat as a Markdown file
        /bye               end the chat, like Ctrl-D

        Ctrl-C stops an answer. To type several lines, end each of them with \, or put the text between two lines of """.
        """";

    private readonly Terminal _terminal = invocation.Terminal;
    private readonly LineEditor _editor = new(new Keyboard(), invocation.Terminal.Out, history);

    /// <summary>Runs the chat until the user ends it.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        _terminal.Out.WriteLine(_terminal.Grey($"{entry.Name}: {model.Info.Description}, a context of {session.SequenceLength} tokens. /help lists the commands."));
        while (await ReadAsync().ConfigureAwait(false) is { } said)
        {
            if (string.IsNullOrWhiteSpace(said))
            {
                continue;
            }

            history.Add(said);
            if (said.Trim() is "/bye" or "/exit" or "/quit")
            {
                break;
            }

            await TakeAsync(said.TrimEnd()).ConfigureAwait(false);
            invocation.Cancelled.ThrowIfCancellationRequested();
        }

        return ExitCode.Success;
    }

    private async Task TakeAsync(string line)
    {
        try
        {
            if (!line.StartsWith('/'))
            {
                await AnswerAsync(chat.Ask(line.Trim())).ConfigureAwait(false);
                return;
            }

            string[] words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
            await CommandAsync(words[0], words.Length > 1 ? words[1] : string.Empty).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException && Failure.CodeOf(error) != ExitCode.Defect)
        {
            _terminal.Out.WriteLine($"error: {Failure.LineOf(error)}");
        }
    }

    private async Task CommandAsync(string command, string rest)
    {
        switch (command)
        {
            case "/help" or "/?":
                _terminal.Out.WriteLine(Help);
                break;
            case "/clear":
                chat.Clear();
                break;
            case "/undo":
                _terminal.Out.WriteLine(chat.TakeBack() is null ? "There is no question to remove." : "Removed the last question and its answer.");
                break;
            case "/retry" when chat.TakeBack() is { } said:
                await AnswerAsync(said).ConfigureAwait(false);
                break;
            case "/image":
                await AddImageAsync(rest).ConfigureAwait(false);
                break;
            case "/retry":
                _terminal.Out.WriteLine("There is no question to answer again.");
                break;
            case "/system":
                chat.System = rest.Length == 0 ? chat.System : rest == "\"\"" ? null : rest;
                _terminal.Out.WriteLine(chat.System ?? "There is no system message.");
                break;
            case "/set":
                Set(rest);
                break;
            case "/show":
                Show();
                break;
            case "/experts":
                _terminal.Out.WriteLine(session.ExpertActivity?.ToString() ?? "Experts are not counted: start the chat with --count-experts.");
                break;
            case "/save" when rest.Length > 0:
                AtomicFile.WriteAllText(rest, Markdown());
                _terminal.Out.WriteLine($"Saved to {Path.GetFullPath(rest)}.");
                break;
            case "/save":
                _terminal.Out.WriteLine("No file is given: use /save PATH.");
                break;
            default:
                _terminal.Out.WriteLine($"{command} is not a command; /help lists the commands. To send this line to the model, start it with a space.");
                break;
        }
    }

    private async Task AddImageAsync(string path)
    {
        if (path.Length == 0)
        {
            chat.Images.Clear();
            _terminal.Out.WriteLine("The next question has no image.");
            return;
        }

        if (!model.Info.SupportsVision)
        {
            _terminal.Out.WriteLine("error: The model reads only text. Put its mmproj file beside it, or start the chat with --mmproj PATH.");
            return;
        }

        PromptImage image = await PromptImage.FromFileAsync(path.Trim('"'), invocation.Cancelled).ConfigureAwait(false);
        chat.Images.Add(image);
        _terminal.Out.WriteLine($"The next question has the image {Path.GetFileName(path.Trim('"'))} ({image}).");
    }

    private async Task AnswerAsync(ChatMessage question)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(invocation.Cancelled);
        invocation.Interruption.Instead = end.Cancel;
        try
        {
            await chat.AnswerAsync(_terminal, question, end.Token).ConfigureAwait(false);
            _terminal.Out.WriteLine();
            ChatAnswer.WriteCut(_terminal, chat.LastStopReason, session);
            _terminal.Out.WriteLine(chat.LastStatistics is { } statistics ? _terminal.Grey(GenerateCommand.Line(statistics)) : string.Empty);
        }
        catch (OperationCanceledException) when (!invocation.Cancelled.IsCancellationRequested)
        {
            _terminal.Out.WriteLine();
            _terminal.Out.WriteLine(_terminal.Grey("[stopped; the question was removed]"));
        }
        catch (ContextFullException error)
        {
            _terminal.Out.WriteLine($"error: {Failure.LineOf(error)} Use /clear to start over, or start the chat with a longer context (-c).");
        }
        finally
        {
            invocation.Interruption.Instead = null;
        }
    }

    private void Set(string rest)
    {
        if (rest.Length > 0)
        {
            string[] words = rest.Split([' ', '='], 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            chat.Options = ChatSettings.With(chat.Options, words[0], words.Length > 1 ? words[1] : string.Empty);
        }

        _terminal.Out.WriteLine(ChatSettings.Describe(chat.Options));
    }

    private void Show()
    {
        ModelInfo info = model.Info;
        _terminal.Out.WriteLine($"{info.Name} ({info.Architecture}): {info.Description}");
        _terminal.Out.WriteLine(info.IsMixtureOfExperts ? $"{info.ExpertCount} experts in a layer, {info.ExpertUsedCount} used" : "a dense model");
        _terminal.Out.WriteLine(model.Path);
        session.Memory.WriteTo(_terminal.Out);
        int used = chat.LastStatistics is { } last ? last.PromptTokens + last.GeneratedTokens : 0;
        _terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{used} of {session.SequenceLength} tokens of the context in use; {chat.OmittedCount} of {chat.Messages.Count} messages left out; threads: {session.Threads}"));
    }

    private string Markdown()
    {
        var text = new StringBuilder($"# Chat with {entry.Name}\n");
        if (chat.System is { Length: > 0 } system)
        {
            Append(text, ChatRole.System, system);
        }

        foreach (ChatMessage message in chat.Messages)
        {
            Append(text, message.Role, message.Content);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, ChatRole who, string? said) =>
        text.Append(CultureInfo.InvariantCulture, $"\n## {who}\n\n{said?.Trim()}\n");

    // Returns null at the end of the input.
    private async Task<string?> ReadAsync()
    {
        var said = new StringBuilder();
        bool isBlock = false;
        while (true)
        {
            string prompt = said.Length == 0 && !isBlock ? ">>> " : "... ";
            (LineEnd end, string line) = await ReadLineAsync(prompt).ConfigureAwait(false);
            switch (end)
            {
                case LineEnd.Closed:
                    return null;
                case LineEnd.Cancelled:
                    return string.Empty;
            }

            if (line.Trim() == BlockMark)
            {
                if (isBlock)
                {
                    return said.ToString();
                }

                isBlock = true;
            }
            else if (isBlock)
            {
                said.Append(line).Append('\n');
            }
            else if (line.EndsWith('\\'))
            {
                said.Append(line, 0, line.Length - 1).Append('\n');
            }
            else
            {
                return said.Append(line).ToString();
            }
        }
    }

    private async Task<(LineEnd End, string Line)> ReadLineAsync(string prompt)
    {
        // A separate thread waits for keys, so that SIGTERM can end the command in the meantime.
        Task<(LineEnd, string)> read = Task.Run(() =>
        {
            Console.TreatControlCAsInput = true;
            try
            {
                return (_editor.Read(prompt, out string line), line);
            }
            finally
            {
                Console.TreatControlCAsInput = false;
            }
        });
        return await read.WaitAsync(invocation.Cancelled).ConfigureAwait(false);
    }
}

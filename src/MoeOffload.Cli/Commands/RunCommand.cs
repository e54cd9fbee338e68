using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe run</c>, which chats in the terminal, or answers once if it gets a prompt or runs in a pipe.</summary>
internal sealed class RunCommand : ICliCommand
{
    private readonly ModelArgument _model;
    private readonly ModelOpener _opener;
    private readonly AnswerArguments _answer = new(usualTokens: -1);
    private readonly SamplingArguments _sampling = new();
    private readonly Argument<string[]> _prompt = new("PROMPT") { Description = "The prompt to answer; without one, a chat starts", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> _images = Opt.Texts("PATH", "An image of the first question; can be repeated", "--image");
    private readonly Option<bool> _noHistory = Opt.Flag("Do not save what you type for the next chat", "--no-history");

    public RunCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        _opener = ModelOpener.ForAnswers(global, _model);
        Command = new Command("run", "Chat with a model in the terminal");
        _opener.AddTo(Command);
        Command.Arguments.Add(_prompt);
        _answer.AddTo(Command);
        _sampling.AddTo(Command);
        Command.Options.Add(_images);
        Command.Options.Add(_noHistory);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        ChatOptions options = _answer.Chat(parsed, _sampling.Read(parsed), _sampling.ReadSchema(parsed));
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        string prompt = string.Join(' ', (parsed.GetValue(_prompt) ?? []).Prepend(_model.WordAfterHub(parsed)).OfType<string>());
        if (!invocation.Terminal.IsInputTyped)
        {
            string piped = await Console.In.ReadToEndAsync(invocation.Cancelled).ConfigureAwait(false);
            prompt = string.Join("\n\n", new[] { prompt, piped }.Where(part => !string.IsNullOrWhiteSpace(part)));
            if (prompt.Length == 0)
            {
                throw new UsageException("No prompt is given: pass PROMPT, or write it to standard input.");
            }
        }

        PromptImage[] images = await ReadImagesAsync(invocation, entry).ConfigureAwait(false);
        using OpenModel opened = await _opener.OpenAsync(invocation, entry, _opener.ContextOptions(invocation)).ConfigureAwait(false);
        (MoeModel model, GenerationSession session) = (opened.Model, opened.Session);
        var chat = new ChatSession(session, options, _answer.System(parsed));
        chat.Images.AddRange(images);
        if (prompt.Length > 0)
        {
            await chat.AnswerAsync(invocation.Terminal, chat.Ask(prompt), invocation.Cancelled).ConfigureAwait(false);
            invocation.Terminal.Out.WriteLine();
            ChatAnswer.WriteCut(invocation.Terminal, chat.LastStopReason, session);
            if (invocation.IsVerbose && chat.LastStatistics is { } statistics)
            {
                invocation.Terminal.Error.WriteLine(GenerateCommand.Line(statistics));
            }

            GenerateCommand.WriteExperts(invocation, session);
            return ExitCode.Success;
        }

        var history = new History(parsed.GetValue(_noHistory) ? null : History.DefaultPath);
        return await new ChatLoop(invocation, entry, model, session, chat, history).RunAsync().ConfigureAwait(false);
    }

    // Files that cannot be read are an error before the model is loaded.
    private async Task<PromptImage[]> ReadImagesAsync(Invocation invocation, CatalogEntry entry)
    {
        string[] paths = invocation.Parsed.GetValue(_images) ?? [];
        if (paths.Length > 0 && MoeModel.FindProjector(entry.Path, _opener.LoadOptions(invocation)) is null)
        {
            throw new UsageException($"{entry.Name} reads only text, so that --image cannot be used: put its mmproj file beside it, or use --mmproj PATH.");
        }

        var images = new PromptImage[paths.Length];
        for (int i = 0; i < paths.Length; i++)
        {
            images[i] = await PromptImage.FromFileAsync(paths[i], invocation.Cancelled).ConfigureAwait(false);
        }

        return images;
    }
}

using MoeOffload.Cli;

return await MoeCommand.RunAsync(args).ConfigureAwait(false);

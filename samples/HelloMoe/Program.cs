using HelloMoe;
using Microsoft.Extensions.Logging;
using MoeOffload;
using MoeOffload.Chat;
using MoeOffload.Gguf;

Arguments arguments = Arguments.Parse(args);
using var cancel = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    cancel.Cancel();
};

try
{
    using ILoggerFactory logs = arguments.OpenLogs();
    using SecondDevice? second = SecondDevice.StartUnlessGpu(arguments);

    using MoeModel model = await MoeModel.LoadAsync(
        arguments.Model,
        new ModelOptions
        {
            Placement = arguments.Placement,
            RpcServers = second is null ? [] : [second.Address],
            RequireDevice = ModelOptions.AnyAccelerator,
            LoggerFactory = logs,
        },
        cancellationToken: cancel.Token);
    Report.Write(model);

    using GenerationSession session = model.CreateSession(new ContextOptions
    {
        ContextLength = arguments.ContextLength ?? Math.Min(4096, model.Info.TrainedContextLength),
        KvCache = { KeyType = GgmlType.Q8_0, ValueType = GgmlType.Q8_0 },
    });
    Report.Write(session);

    var sampling = new SamplingOptions { Temperature = arguments.Temperature, Seed = arguments.Seed };
    Console.Write(arguments.IsRaw ? arguments.Prompt : $"> {arguments.Prompt}{Environment.NewLine}{Environment.NewLine}");
    if (arguments.IsRaw)
    {
        TokenStream stream = session.GenerateAsync(arguments.Prompt, sampling, arguments.MaxTokens, cancel.Token);
        await foreach (GeneratedToken token in stream)
        {
            Console.Write(token.Text);
        }

        Report.Write(stream.Statistics!, stream.StopReason.ToString());
    }
    else
    {
        var options = new ChatOptions { Sampling = sampling, MaxTokens = arguments.MaxTokens };
        await foreach (ChatUpdate update in session.ChatAsync([ChatMessage.User(arguments.Prompt)], options, cancel.Token))
        {
            Console.Write(update.ReasoningContent + update.Content);
            if (update.Statistics is { } statistics)
            {
                Report.Write(statistics, update.FinishReason.ToString());
            }
        }
    }

    return 0;
}
catch (OperationCanceledException)
{
    Console.WriteLine();
    return 130;
}
catch (Exception exception) when (exception is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

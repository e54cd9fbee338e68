using HelloMoe;
using Microsoft.Extensions.Logging;
using MoeOffload;

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
        ContextLength = arguments.ContextLength,
        KvCache = { KeyType = GgmlType.Q8_0, ValueType = GgmlType.Q8_0 },
    });
    Report.Write(session);

    Console.Write(arguments.Prompt);
    TokenStream stream = session.GenerateAsync(
        arguments.Prompt, new SamplingOptions { Temperature = 0.3f, Seed = arguments.Seed }, arguments.MaxTokens, cancel.Token);
    await foreach (GeneratedToken token in stream)
    {
        Console.Write(token.Text);
    }

    Report.Write(stream);
    return 0;
}
catch (OperationCanceledException)
{
    Console.WriteLine();
    return 130;
}
catch (Exception exception) when (exception is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

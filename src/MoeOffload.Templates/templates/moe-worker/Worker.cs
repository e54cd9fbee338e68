using Microsoft.Extensions.AI;

namespace MoeWorker;

/// <summary>Writes a summary beside each text file in a directory.</summary>
internal sealed class Worker(IChatClient client, IConfiguration configuration, ILogger<Worker> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly string _inbox = configuration["Inbox"] ?? "inbox";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Directory.CreateDirectory(_inbox);
        using var timer = new PeriodicTimer(s_interval);
        do
        {
            foreach (string file in Directory.GetFiles(_inbox, "*.txt"))
            {
                string summary = Path.ChangeExtension(file, ".summary.md");
                if (!File.Exists(summary))
                {
                    await SummarizeAsync(file, summary, stoppingToken);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task SummarizeAsync(string file, string summary, CancellationToken cancellationToken)
    {
        try
        {
            string text = await File.ReadAllTextAsync(file, cancellationToken);
            ChatResponse response = await client.GetResponseAsync($"Summarize this text in one sentence:\n\n{text}", cancellationToken: cancellationToken);
            await File.WriteAllTextAsync(summary, response.Text, cancellationToken);
            logger.LogInformation("Wrote {Summary}", summary);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A file that cannot be summarized, for example since it is still being written, must not stop the worker.
            logger.LogError(error, "Could not summarize {File}", file);
        }
    }
}

using System.Text.Json;
using Microsoft.Extensions.AI;
using MoeOffload.Hosting;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddMoeOffload(); // its options are in the section "MoeOffload" of appsettings.json
builder.Services.AddHealthChecks().AddMoeOffload();

WebApplication app = builder.Build();
app.MapHealthChecks("/health");

// The whole answer.
app.MapPost("/chat", async (Question question, IChatClient client, CancellationToken cancellationToken) =>
    new Answer((await client.GetResponseAsync(question.Text, cancellationToken: cancellationToken)).Text));

// The answer while it is generated, as server-sent events. If the client disconnects, the generation ends.
app.MapPost("/chat/stream", async (Question question, IChatClient client, HttpResponse response, CancellationToken cancellationToken) =>
{
    response.ContentType = "text/event-stream";
    await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(question.Text, cancellationToken: cancellationToken))
    {
        if (update.Text.Length > 0)
        {
            await response.WriteAsync($"data: {JsonSerializer.Serialize(new { text = update.Text })}\n\n", cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
        }
    }
});

app.Run();

internal sealed record Question(string Text);

internal sealed record Answer(string Text);

using System.Diagnostics;

namespace MoeOffload.Telemetry;

/// <summary>Records the requests of one kind to a model: once for each request, when it ends. Nothing is recorded for a token.</summary>
/// <param name="operation">The operation, as OpenTelemetry's conventions name it.</param>
/// <param name="model">The id of the model.</param>
internal sealed class OperationTelemetry(string operation, string model)
{
    public const string Chat = "chat";
    public const string TextCompletion = "text_completion";
    public const string Embeddings = "embeddings";
    public const string Rerank = "rerank";

    private const string Provider = "moeoffload";

    /// <summary>Starts the activity of a request in the activity of the caller; null if nobody listens.</summary>
    public Activity? Start()
    {
        if (!Instruments.Source.HasListeners())
        {
            return null;
        }

        // The request ends on another thread, so it must not become the caller's current activity.
        Activity? current = Activity.Current;
        try
        {
            Activity? activity = Instruments.Source.StartActivity(ActivityKind.Internal, name: $"{operation} {model}", tags:
            [
                new("gen_ai.operation.name", operation), new("gen_ai.provider.name", Provider), new("gen_ai.request.model", model),
            ]);
            Activity.Current = current;
            return activity;
        }
        catch (Exception)
        {
            // A request does not fail because of a listener.
            Activity.Current = current;
            return null;
        }
    }

    /// <summary>Records a generation that has ended.</summary>
    /// <param name="activity">The activity of the request, or null.</param>
    /// <param name="startTimestamp">The timestamp of its start.</param>
    /// <param name="statistics">The statistics, or null if the generation was not prepared.</param>
    /// <param name="failure">The exception that ended it, or null if it succeeded.</param>
    /// <param name="reason">The reason that the generation ended, or null if it failed.</param>
    public void End(Activity? activity, long startTimestamp, GenerationStatistics? statistics, Exception? failure, StopReason? reason)
    {
        try
        {
            TagList tags = Tags();
            if (statistics is not null)
            {
                Count(statistics, tags, hasSucceeded: failure is null);
            }

            RecordDuration(startTimestamp, failure, tags);
            if (activity is not null)
            {
                Describe(activity, statistics, reason);
                Stop(activity, failure);
            }
        }
        catch (Exception)
        {
            // The thread of a session does not end because of a listener, whose exception arrives here.
        }
    }

    /// <summary>Records texts that were embedded or ranked.</summary>
    /// <param name="activity">The activity of the request, or null.</param>
    /// <param name="startTimestamp">The timestamp of its start.</param>
    /// <param name="tokens">The number of tokens in the texts.</param>
    /// <param name="failure">The exception that ended the request, or null if it succeeded.</param>
    public void End(Activity? activity, long startTimestamp, int tokens, Exception? failure)
    {
        try
        {
            TagList tags = Tags();
            if (failure is null)
            {
                Instruments.EmbeddedTokens.Add(tokens, tags);
            }

            RecordDuration(startTimestamp, failure, tags);
            if (activity is not null)
            {
                activity.SetTag("gen_ai.usage.input_tokens", tokens);
                Stop(activity, failure);
            }
        }
        catch (Exception)
        {
            // The request does not fail because of a listener, whose exception arrives here.
        }
    }

    private TagList Tags() => new()
    {
        { "gen_ai.operation.name", operation },
        { "gen_ai.provider.name", Provider },
        { "gen_ai.request.model", model },
    };

    private static void Count(GenerationStatistics statistics, TagList tags, bool hasSucceeded)
    {
        Instruments.PromptTokens.Add(statistics.PromptTokens, tags);
        Instruments.CachedTokens.Add(statistics.CachedPromptTokens, tags);
        Instruments.GeneratedTokens.Add(statistics.GeneratedTokens, tags);
        Instruments.DraftedTokens.Add(statistics.DraftedTokens, tags);
        Instruments.AcceptedTokens.Add(statistics.AcceptedTokens, tags);
        Instruments.PrefixHits.Add(statistics.CachedPromptTokens > 0 ? 1 : 0, tags);
        Instruments.QueueTime.Record(statistics.QueueTime.TotalSeconds, tags);
        if (hasSucceeded && statistics.GeneratedTokens > 0)
        {
            Instruments.FirstToken.Record(statistics.TimeToFirstToken.TotalSeconds, tags);
        }

        if (hasSucceeded && statistics.GeneratedTokens > 1)
        {
            Instruments.PerToken.Record(statistics.DecodeTime.TotalSeconds / (statistics.GeneratedTokens - 1), tags);
        }
    }

    private static void RecordDuration(long startTimestamp, Exception? failure, TagList tags)
    {
        if (Instruments.Duration.Enabled)
        {
            if (failure is not null)
            {
                tags.Add("error.type", ErrorType(failure));
            }

            Instruments.Duration.Record(Stopwatch.GetElapsedTime(startTimestamp).TotalSeconds, tags);
        }
    }

    private static void Describe(Activity activity, GenerationStatistics? statistics, StopReason? reason)
    {
        if (statistics is not null)
        {
            activity.SetTag("gen_ai.usage.input_tokens", statistics.PromptTokens);
            activity.SetTag("gen_ai.usage.output_tokens", statistics.GeneratedTokens);
            activity.SetTag("gen_ai.usage.cache_read.input_tokens", statistics.CachedPromptTokens);
            activity.SetTag("moe.queue.time", statistics.QueueTime.TotalSeconds);
            activity.SetTag("moe.time_to_first_token", statistics.TimeToFirstToken.TotalSeconds);
        }

        if (reason is { } known)
        {
            activity.SetTag("gen_ai.response.finish_reasons", new[] { known is StopReason.EndOfSequence or StopReason.StopString ? "stop" : "length" });
        }
    }

    private static void Stop(Activity activity, Exception? failure)
    {
        if (failure is not null)
        {
            activity.SetTag("error.type", ErrorType(failure));
            activity.SetStatus(ActivityStatusCode.Error, failure.Message);
        }

        // Stopping makes the parent the current activity of this thread, which is not the thread of the caller.
        Activity? current = Activity.Current;
        activity.Stop();
        Activity.Current = current;
    }

    // A reader that stops reading cancels its request.
    private static string ErrorType(Exception failure) =>
        (failure is ObjectDisposedException ? typeof(OperationCanceledException) : failure.GetType()).FullName!;
}

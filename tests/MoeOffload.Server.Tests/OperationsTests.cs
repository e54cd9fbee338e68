using System.Diagnostics;
using System.Text.Json.Nodes;
using FluentAssertions;
using Microsoft.Extensions.Logging;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class OperationsTests
{
    private const string Path = "/v1/chat/completions";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync(options => options.Models.Context = options.Models.Context with { CountExperts = true });

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Server_is_healthy_and_ready()
    {
        ((string)JsonNode.Parse(await _server.Http.GetStringAsync("/health"))!["status"]!).Should().Be("ok");
        ((string)JsonNode.Parse(await _server.Http.GetStringAsync("/ready"))!["status"]!).Should().Be("ready");
    }

    [Test]
    public async Task Metrics_tell_of_requests_tokens_times_memory_and_experts()
    {
        await _server.AskAsync(Path, TestServer.Chat("Tell me a story about a cat.", maxTokens: 10));
        JsonNode usage = (await _server.AskAsync(Path, TestServer.Chat("Tell me a story about a cat.", maxTokens: 10)))["usage"]!;
        ((int)usage["completion_tokens"]!).Should().Be(10);
        await _server.FailAsync(Path, new JsonObject { ["model"] = "nothing-like-that", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }) });
        string text = await _server.Http.GetStringAsync("/metrics");

        Value(text, "moe_requests_total", "http_route=\"/v1/chat/completions\"", "http_response_status_code=\"200\"").Should().BeGreaterThanOrEqualTo(2);
        Value(text, "moe_requests_total", "http_route=\"/v1/chat/completions\"", "http_response_status_code=\"404\"").Should().BeGreaterThanOrEqualTo(1);
        Value(text, "moe_tokens_generated_total", "tiny-moe", "operation_name=\"chat\"").Should().BeGreaterThanOrEqualTo(20);
        Value(text, "moe_tokens_prompt_total", "tiny-moe", "operation_name=\"chat\"").Should().BePositive();
        Value(text, "moe_tokens_cached_total", "tiny-moe", "operation_name=\"chat\"").Should().BePositive();
        Value(text, "moe_prefix_cache_hits_total", "tiny-moe").Should().BeGreaterThanOrEqualTo(1);
        Value(text, "gen_ai_server_time_to_first_token_seconds_count", "tiny-moe", "operation_name=\"chat\"").Should().BeGreaterThanOrEqualTo(2);
        Value(text, "gen_ai_server_time_per_output_token_seconds_count", "tiny-moe", "operation_name=\"chat\"").Should().BeGreaterThanOrEqualTo(2);
        Value(text, "gen_ai_server_request_duration_seconds_count", "tiny-moe", "operation_name=\"chat\"").Should().BeGreaterThanOrEqualTo(2);
        Value(text, "moe_queue_waiting", "tiny-moe").Should().Be(0);
        Value(text, "moe_memory_bytes", "tiny-moe", "device=\"Host\"", "kind=\"weights\"").Should().BeGreaterThan(1 << 20);
        Value(text, "moe_memory_bytes", "tiny-moe", "device=\"Host\"", "kind=\"context\"").Should().BePositive();
        Value(text, "moe_expert_tokens_total", "tiny-moe", "layer=\"0\"").Should().BePositive();
        Value(text, "moe_expert_busiest_share", "tiny-moe", "layer=\"0\"").Should().BeInRange(1.0 / 16, 0.5);
        Value(text, "moe_models_loaded").Should().BeGreaterThanOrEqualTo(1);
    }

    [Test]
    public async Task Experts_in_files_have_metrics_and_models_without_experts_are_served_as_well()
    {
        TinyModel dense = TinyModels.Llama();
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Load = new ModelOptions { Experts = ExpertStorage.Limit(2 << 20) }, DemoModel.Path, dense.Path);
        await server.AskAsync(Path, TestServer.Chat("Tell me a story about a cat.", maxTokens: 10));
        (await server.Models.AcquireAsync(System.IO.Path.GetFileNameWithoutExtension(dense.Path))).Dispose();

        string text = await server.Http.GetStringAsync("/metrics");

        Value(text, "moe_expert_misses_total", "tiny-moe", "layer=\"0\"").Should().BePositive();
        Value(text, "moe_expert_hits_total", "tiny-moe", "layer=\"5\"").Should().BePositive();
        Value(text, "moe_expert_read_bytes_total", "tiny-moe", "layer=\"0\"").Should().BePositive();
        Value(text, "moe_expert_wait_seconds_total", "tiny-moe", "layer=\"0\"").Should().BePositive();
        Value(text, "moe_expert_memory_bytes", "tiny-moe").Should().BeInRange(1, 2 << 20);
    }

    [Test]
    public async Task Request_has_an_id_that_its_log_line_names()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("x-request-id", "from-the-client_1");
        using HttpResponseMessage given = await _server.Http.SendAsync(request);
        given.Headers.GetValues("x-request-id").Should().Equal("from-the-client_1");

        using HttpResponseMessage response = await _server.PostAsync(Path, TestServer.Chat("Hi", maxTokens: 3));
        string id = response.Headers.GetValues("x-request-id").Single();
        id.Should().StartWith("req_");
        RecordedLog.LogLine? line = null;
        await Wait.Until(() => (line = _server.Log.Lines.SingleOrDefault(entry => Equals(entry.Fields.GetValueOrDefault("RequestId"), id) && entry.Fields.ContainsKey("Route"))) is not null);
        line!.Fields["Route"].Should().Be(Path);
        line.Fields["Status"].Should().Be(200);
        line.Fields["Model"].Should().Be(TestServer.Demo);
        line.Fields["GeneratedTokens"].Should().Be(3);
    }

    [Test]
    public async Task Id_that_could_forge_a_log_line_is_replaced()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("x-request-id", "a b\tforged");
        using HttpResponseMessage response = await _server.Http.SendAsync(request);
        response.Headers.GetValues("x-request-id").Single().Should().StartWith("req_");
    }

    [Test]
    public async Task Request_is_traced()
    {
        List<Activity> activities = [];
        int count = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is ServerActivities.SourceName or MoeTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (activities)
                {
                    activities.Add(activity);
                    count++;
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await _server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 3));
        await Wait.Until(() => Volatile.Read(ref count) > 1);

        Activity activity = activities.Single(it => it.DisplayName == Path);
        activity.GetTagItem("gen_ai.request.model").Should().Be(TestServer.Demo);
        activity.GetTagItem("http.response.status_code").Should().Be(200);
        activity.GetTagItem("gen_ai.usage.output_tokens").Should().BeNull("the generation has them, and a sum must not count them twice");
        Activity generation = activities.Single(it => it.ParentSpanId == activity.SpanId);
        generation.DisplayName.Should().Be($"chat {TestServer.Demo}");
        generation.GetTagItem("gen_ai.usage.output_tokens").Should().Be(3);
    }

    [Test]
    public async Task Prompts_are_in_logs_only_where_that_was_asked_for([Values] bool asked)
    {
        const string Secret = "xylophone quicksilver";
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.LogPrompts = asked);
        await server.AskAsync(Path, TestServer.Chat(Secret, maxTokens: 2));
        await server.FailAsync(Path, new JsonObject { ["model"] = TestServer.Demo, ["messages"] = new JsonArray(new JsonObject { ["role"] = Secret, ["content"] = Secret }) });
        await Wait.Until(() => server.Log.Lines.Count(line => Equals(line.Fields.GetValueOrDefault("Route"), Path)) == 2);

        server.Log.Lines.Any(line => line.Text.Contains(Secret, StringComparison.Ordinal)).Should().Be(asked);
        server.Log.Lines.Should().NotContain(line => line.Text.Contains(Secret, StringComparison.Ordinal) && line.Level != LogLevel.Debug);
    }

    private static double Value(string metrics, string name, params string[] labels)
    {
        string[] lines = [.. metrics.Split('\n').Where(line => (line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal)) && labels.All(line.Contains))];
        lines.Should().NotBeEmpty("there is a {0} of {1} in {2}", name, string.Join(", ", labels), metrics);
        string rest = lines[0].Contains('}', StringComparison.Ordinal) ? lines[0][(lines[0].IndexOf('}', StringComparison.Ordinal) + 2)..] : lines[0][(name.Length + 1)..];
        return double.Parse(rest.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}

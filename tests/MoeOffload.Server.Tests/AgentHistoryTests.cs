using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Histories as agents and assistants send them, to models whose templates reject some of them.</summary>
[TestFixture]
public sealed class AgentHistoryTests
{
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync(
        options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 2048 };
            options.Requests.LogPrompts = true;
        },
        RealTemplates.Write(RealTemplates.Read("Qwen3.5-4B")),
        RealTemplates.Write(RealTemplates.Read("google-gemma-2-2b-it")));

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":"alpha"},{"role":"system","content":"bravo"}]}""", "alpha bravo")]
    [TestCase("/v1/messages", """{"system":"alpha","messages":[{"role":"system","content":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"system","content":"alpha"},{"role":"system","content":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"developer","content":"alpha"},{"role":"developer","content":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"system","content":"alpha"},{"role":"user","content":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":"bravo"},{"role":"system","content":"charlie"},{"role":"user","content":"delta"}]}""", "alpha bravo charlie delta")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"c","content":"bravo"}]}""", "alpha bravo")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]},{"role":"tool","tool_call_id":"c","content":"bravo"}]}""", "alpha bravo")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","function_call":{"name":"f","arguments":"null"}},{"role":"function","name":"f","content":"bravo"}]}""", "alpha bravo")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":[{"type":"text","text":"alpha"},{"type":"image_url","image_url":{"url":"data:"}}]},{"role":"assistant","content":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha image bravo charlie")]
    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":null,"refusal":"bravo"},{"role":"user","content":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"bravo"},{"type":"image","source":{"type":"base64","data":"AA=="}}]}]}]}""", "alpha bravo image")]
    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"bravo","url":"u","encrypted_content":"secret"}]},{"type":"text","text":"charlie"}]},{"role":"user","content":"delta"}]}""", "alpha bravo charlie delta")]
    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":"alpha"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"tool_reference","tool_name":"bravo"}]}]}]}""", "alpha bravo")]
    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"alpha"}},{"type":"text","text":"bravo"}]}]}""", "alpha bravo")]
    [TestCase("/v1/responses", """{"input":[{"role":"user","content":"alpha"},{"type":"function_call","call_id":"c","name":"f","arguments":""},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"bravo"},{"type":"input_image","image_url":"data:"}]}]}""", "alpha bravo image")]
    [TestCase("/v1/responses", """{"input":[{"role":"user","content":"alpha"},{"type":"web_search_call","id":"ws","status":"completed","action":{"type":"search","query":"q"}},{"role":"assistant","content":[{"type":"output_text","text":"bravo"}]},{"role":"developer","content":"charlie"},{"role":"user","content":"delta"}]}""", "alpha bravo charlie delta")]
    [TestCase("/v1/responses", """{"input":[{"role":"user","content":"alpha"},{"type":"custom_tool_call","call_id":"c","name":"f","input":"bravo"},{"type":"custom_tool_call_output","call_id":"c","output":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/v1/responses", """{"input":[{"role":"user","content":"alpha"},{"type":"local_shell_call","call_id":"c","action":{"type":"exec","command":["bravo"]},"status":"completed"},{"type":"local_shell_call_output","call_id":"c","output":"charlie"}]}""", "alpha bravo charlie")]
    [TestCase("/api/chat", """{"messages":[{"role":"user","content":"alpha","images":["AA=="]},{"role":"assistant","content":"bravo"},{"role":"system","content":"charlie"},{"role":"user","content":"delta"}]}""", "alpha image bravo charlie delta")]
    public async Task Text_of_a_history_reaches_the_model(string path, string fields, string words)
    {
        foreach (string model in _server.Models.List().Select(status => status.Entry.Name))
        {
            _server.Log.Lines.Clear();
            await _server.AskAsync(path, Request(path, model, fields));
            string prompt = _server.Log.Lines.Single(line => line.Text.StartsWith("Prompt", StringComparison.Ordinal)).Text;
            int at = 0;
            foreach (string word in words.Split(' '))
            {
                at = prompt.IndexOf(word, at, StringComparison.Ordinal);
                at.Should().BePositive($"'{word}' belongs into {prompt}");
            }

            prompt.Should().NotContain("secret");
        }
    }

    [TestCase("/v1/chat/completions", """{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:"}}]}]}""")]
    [TestCase("/v1/messages", """{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AA=="}}]}]}""")]
    [TestCase("/v1/responses", """{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:"}]}]}""")]
    [TestCase("/api/chat", """{"messages":[{"role":"user","content":"What is this?","images":["AA=="]}]}""")]
    public async Task Image_of_the_question_is_not_left_out_in_silence(string path, string fields)
    {
        using HttpResponseMessage response = await _server.PostAsync(path, Request(path, _server.Models.List()[0].Entry.Name, fields));
        ((int)response.StatusCode).Should().Be(400);
        (await response.Content.ReadAsStringAsync()).Should().Contain("reads only text");
    }

    [Test]
    public async Task Billing_line_does_not_cost_the_prefix_cache()
    {
        string model = _server.Models.List()[0].Entry.Name;
        await _server.AskAsync("/v1/messages", Message("A"));
        JsonNode second = await _server.AskAsync("/v1/messages", Message("B"));
        ((int)second["usage"]!["cache_read_input_tokens"]!).Should().BeGreaterThan(10 * (int)second["usage"]!["input_tokens"]!);

        JsonObject Message(string hash)
        {
            JsonObject request = Request("/v1/messages", model, """{"messages":[{"role":"user","content":"Hi"}]}""");
            request["system"] = new JsonArray(
                new JsonObject { ["type"] = "text", ["text"] = $"x-anthropic-billing-header: cc_version=2; cch={hash};" },
                new JsonObject { ["type"] = "text", ["text"] = string.Concat(Enumerable.Repeat("You are a careful assistant. ", 40)) });
            return request;
        }
    }

    [TestCase("/v1/messages", "Current time is 14:03:22. Today's date is 2025-11-30.\n", "Current time is 14:04:59. Today's date is 2025-11-30.\n")]
    [TestCase("/v1/chat/completions", "Current date and time: 2025-11-30 14:03:22\n", "Current date and time: 2025-11-30 14:03:23\n")]
    [TestCase("/v1/chat/completions", "You are HAL. The current time is 2025-11-30T14:03:22.123Z. Be short. ", "You are HAL. The current time is 2025-11-30T15:04:22.456Z. Be short. ")]
    [TestCase("/v1/chat/completions", "Today is Sunday, November 30, 2025, 2:03 PM.\n", "Today is Sunday, November 30, 2025, 2:05 PM.\n")]
    [TestCase("/v1/responses", "<current_time>14:03</current_time>\n", "<current_time>14:05</current_time>\n")]
    public async Task Current_time_does_not_cost_the_prefix_cache(string path, string first, string second)
    {
        string model = _server.Models.List()[0].Entry.Name;
        await _server.AskAsync(path, Question(first));
        _server.Log.Lines.Clear();
        JsonNode usage = (await _server.AskAsync(path, Question(second)))["usage"]!;
        int cached = (int)(usage["prompt_tokens_details"]?["cached_tokens"] ?? usage["input_tokens_details"]?["cached_tokens"] ?? usage["cache_read_input_tokens"])!;
        int prompt = (int)(usage["prompt_tokens"] ?? usage["input_tokens"])! + (path == "/v1/messages" ? cached : 0);
        prompt.Should().BeGreaterThan(200);
        (prompt - cached).Should().BeLessThan(80);
        string sent = _server.Log.Lines.Single(line => line.Text.StartsWith("Prompt", StringComparison.Ordinal)).Text;
        foreach (string word in second.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            sent.Should().Contain(word, "no text is lost");
        }

        JsonObject Question(string time)
        {
            string system = time + string.Concat(Enumerable.Repeat("You are a careful assistant. ", 40));
            JsonObject request = Request(path, model, path == "/v1/responses" ? """{"input":"Hi there"}""" : """{"messages":[{"role":"user","content":"Hi there"}]}""");
            if (path == "/v1/chat/completions")
            {
                request["messages"]!.AsArray().Insert(0, new JsonObject { ["role"] = "system", ["content"] = system });
            }
            else
            {
                request[path == "/v1/messages" ? "system" : "instructions"] = system;
            }

            return request;
        }
    }

    [TestCase("The shop opens at 9:00.")]
    [TestCase("Today's date is 2025-11-30.")]
    [TestCase("Reply within 10:00 minutes. The current time matters.")]
    public async Task Other_sentences_stay_where_they_are(string sentence)
    {
        JsonObject request = Request("/v1/chat/completions", _server.Models.List()[0].Entry.Name, """{"messages":[{"role":"user","content":"Hi there"}]}""");
        request["messages"]!.AsArray().Insert(0, new JsonObject { ["role"] = "system", ["content"] = $"{sentence}\nBe short." });
        string prompt = (string)(await _server.AskAsync("/apply-template", request))["prompt"]!;
        prompt.Should().Contain($"{sentence}\nBe short.").And.NotContain("<system>");
    }

    [Test]
    public async Task Current_time_stays_where_it_is_if_the_option_says_so()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.MovesCurrentTime = false);
        JsonObject chat = TestServer.Chat("Hi");
        chat["messages"]!.AsArray().Insert(0, new JsonObject { ["role"] = "system", ["content"] = "Current time is 14:03:22.\nBe short." });
        ((string)(await server.AskAsync("/apply-template", chat))["prompt"]!).Should().Contain("Current time is 14:03:22.\nBe short.");
    }

    private static JsonObject Request(string path, string model, string fields)
    {
        JsonObject request = JsonNode.Parse(fields)!.AsObject();
        request["model"] = model;
        request[path == "/v1/responses" ? "max_output_tokens" : "max_tokens"] = 2;
        if (path == "/api/chat")
        {
            request.Remove("max_tokens");
            request["options"] = new JsonObject { ["num_predict"] = 2 };
            request["stream"] = false;
        }

        return request;
    }
}

using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.Playwright;
using MoeOffload.Fixtures;
using NUnit.Framework;
using static Microsoft.Playwright.Assertions;

namespace MoeOffload.Server.Tests;

/// <summary>What the page offers around a chat: attachments, presets, settings, keys, thoughts and tools.</summary>
[TestFixture]
public sealed class InteractionTests : PageTests
{
    private const string Notes = "The bees make honey.\r\n```\nand wax\n```\n";

    [Test]
    public async Task Files_are_attached_counted_and_sent_with_the_message()
    {
        await using OpenPage open = await OpenLoadedAsync();
        List<JsonNode> bodies = Record(open);
        await open.SetAsync("Maximum tokens", "4");
        ILocator chips = open.Page.Locator("#attachments .chip");
        await AttachAsync(open, ("notes.txt", Encoding.UTF8.GetBytes(Notes)));
        await Expect(chips).ToHaveTextAsync([new Regex(@"^notes\.txt38 B, \d+ tokens$")]);

        await AttachAsync(open, ("picture.bin", [0x00, 0xFF, 0x03]), ("long.txt", new byte[(1 << 20) + 1]));
        await Expect(open.Page.Locator("#toast")).ToHaveTextAsync(
            "picture.bin is not attached: it is not text, or not in UTF-8. Save it as text in UTF-8. "
            + "long.txt is not attached: it has 1.0 MiB, and texts can have up to 1.0 MiB. Attach the part that matters.");
        await AttachAsync(open, "image/png", ("cat.png", s_picture));
        await Expect(open.Page.Locator("#toast")).ToHaveTextAsync("cat.png is not attached: this model reads only text. Choose a model that reads images.");
        await AttachAsync(open, ("more.txt", [0xFF, 0xFE, (byte)'x', 0, (byte)'y', 0]));
        await open.Page.GetByLabel("Remove more.txt").ClickAsync();
        await Expect(chips).ToHaveCountAsync(1);
        await open.Page.EvaluateAsync(
            """
            () => {
              for (const [type, target] of [["drop", ".chat"], ["paste", "#prompt"]]) {
                const data = new DataTransfer();
                data.items.add(new File([type], `${type}.txt`, { type: "text/plain" }));
                document.querySelector(target).dispatchEvent(type === "drop"
                  ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                  : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
              }
            }
            """);
        await Expect(chips).ToHaveCountAsync(3);

        await open.AskAsync("What is it about?");
        ((string?)bodies[0]["messages"]![0]!["content"]).Should().Be(
            "notes.txt:\n````\nThe bees make honey.\n```\nand wax\n```\n\n````\n\ndrop.txt:\n```\ndrop\n```\n\npaste.txt:\n```\npaste\n```\n\nWhat is it about?");
        await Expect(chips).ToHaveCountAsync(0);
        await Expect(open.Page.Locator(".message.user .chip")).ToHaveCountAsync(3);
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync("What is it about?");
        await open.Page.ReloadAsync();
        await Expect(open.Page.Locator(".message.user .chip")).ToHaveCountAsync(3);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Images_are_attached_if_the_model_reads_them()
    {
        await using OpenPage open = await Browser.OpenAsync(Server);
        await open.Page.RouteAsync("**/props?*", route => route.FulfillAsync(new RouteFulfillOptions { ContentType = "application/json", Body = """{"modalities":{"vision":true}}""" }));
        List<JsonNode> bodies = Record(open);
        await open.Page.RouteAsync("**/api/chat", route => route.FulfillAsync(new RouteFulfillOptions { Body = """{"message":{"content":"A cat."},"done":true,"done_reason":"stop"}""" }));
        await open.Page.ReloadAsync();
        await LoadAsync(open);
        await Expect(open.Page.GetByLabel("Attach files", new PageGetByLabelOptions { Exact = true })).ToHaveAttributeAsync("title", "Attach text files or images, up to 10, and 1.0 MiB for each text");
        await AttachAsync(open, "image/png", ("cat.png", s_picture));
        await Expect(open.Page.Locator("#attachments canvas")).ToHaveAttributeAsync("aria-label", "Picture cat.png");
        await AttachAsync(open, "image/png", ("torn.png", s_picture[..20]));
        await Expect(open.Page.Locator("#toast")).ToHaveTextAsync("torn.png is not attached: the browser cannot read this image. Save it as PNG or JPEG.");
        await open.AskAsync("What is it?");

        JsonNode message = bodies[0]["messages"]![0]!;
        Convert.FromBase64String((string)message["images"]![0]!).Should().StartWith(s_picture[..8]);
        ((string?)message["content"]).Should().Be("What is it?");
        await Expect(open.Page.Locator(".message.user canvas")).ToBeVisibleAsync();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Messages_and_code_are_copied()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = """root ::= "**So:**\n```js\nlet x = 1;\n```" """ });
        await using OpenPage open = await Browser.OpenAsync(server);
        await open.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await open.AskAsync("Declare x.");
        await Expect(open.LastAnswer.Locator(".code-head span")).ToHaveTextAsync("js");
        await open.LastAnswer.Locator(".code").GetByText("Copy").ClickAsync();
        await ExpectAsync("let x = 1;");
        await OpenPage.PressAsync(open.LastAnswer.Locator(".foot"), "Copy");
        await ExpectAsync("**So:**\n```js\nlet x = 1;\n```");
        await OpenPage.PressAsync(open.Page.Locator(".message.user"), "Copy");
        await ExpectAsync("Declare x.");
        await Expect(open.Page.Locator("#announcer")).ToHaveTextAsync("Copied.");
        open.Complaints.Should().BeEmpty();

        Task ExpectAsync(string text) => open.Page.WaitForFunctionAsync("async text => await navigator.clipboard.readText() === text", text);
    }

    [Test]
    public async Task Progress_of_loading_is_shown()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.RouteAsync("**/status", route => route.FulfillAsync(new RouteFulfillOptions { Body = """{"model":"tiny-moe","status":"loading","progress":0.42}""" }));
        await open.Page.RouteAsync("**/api/chat", _ => { });
        await open.Prompt.FillAsync("Hi");
        await open.Prompt.PressAsync("Enter");

        await Expect(open.Page.Locator("#state")).ToHaveTextAsync("loading, 42 %");
        await Expect(open.Page.Locator("#progress")).ToHaveJSPropertyAsync("value", 0.42);
        await Expect(open.LastAnswer.Locator(".waiting")).ToHaveTextAsync("Loading the model, 42 %…");
        await open.Page.Keyboard.PressAsync("Escape");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("stopped");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Presets_are_chosen_saved_and_deleted()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.Locator("#sampling > summary").ClickAsync();
        ILocator preset = open.Page.GetByLabel("Preset", new PageGetByLabelOptions { Exact = true });
        await Expect(preset).ToHaveValueAsync("balanced");
        await preset.SelectOptionAsync("precise");
        await Expect(open.Page.GetByLabel("Temperature")).ToHaveValueAsync("0.2");
        await Expect(open.Page.Locator("#sampling-summary")).ToHaveTextAsync("Precise, temperature 0.2");
        await open.SetAsync("Top-k", "7");
        await Expect(preset).ToHaveValueAsync("custom");
        await open.Page.GetByText("Save as preset").ClickAsync();
        await open.Page.GetByLabel("Name of the preset").FillAsync("Mine <b>");
        await open.Page.Keyboard.PressAsync("Enter");
        await Expect(open.Page.Locator("#sampling-summary")).ToHaveTextAsync("Mine <b>, temperature 0.2");
        await preset.SelectOptionAsync("creative");
        await open.Page.ReloadAsync();
        await Expect(preset).ToHaveValueAsync("creative");
        await open.Page.Locator("#sampling > summary").ClickAsync();
        await preset.SelectOptionAsync("own:Mine <b>");
        await Expect(open.Page.GetByLabel("Top-k")).ToHaveValueAsync("7");
        await open.Page.GetByText("Delete preset").ClickAsync();
        await Expect(preset).ToHaveValueAsync("custom");
        await Expect(preset.Locator("option")).ToHaveCountAsync(4);
        await open.Page.GetByText("Defaults").ClickAsync();
        await Expect(preset).ToHaveValueAsync("balanced");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Theme_follows_the_system_until_it_is_set()
    {
        await using OpenPage open = await OpenAsync(new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark });
        string dark = await ColorAsync();
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        string light = await ColorAsync();
        light.Should().NotBe(dark);
        await ChooseAsync(open, "Dark");
        (await ColorAsync()).Should().Be(dark);
        await open.Page.ReloadAsync();
        (await ColorAsync()).Should().Be(dark);
        await ChooseAsync(open, "System");
        (await ColorAsync()).Should().Be(light);
        open.Complaints.Should().BeEmpty();

        Task<string> ColorAsync() => open.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
    }

    [Test]
    public async Task Keys_do_what_their_list_says()
    {
        await using OpenPage open = await OpenAsync();
        ILocator list = open.Page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "Keyboard shortcuts" });
        await open.Prompt.PressAsync("?");
        await Expect(open.Prompt).ToHaveValueAsync("?");
        await open.Prompt.FillAsync(string.Empty);
        await open.Page.Locator("#scroller").FocusAsync();
        await open.Page.Keyboard.PressAsync("?");
        await Expect(list).ToBeVisibleAsync();
        await Expect(list.Locator("dt")).ToHaveCountAsync(8);
        await open.Page.Keyboard.PressAsync("Escape");
        await Expect(list).ToBeHiddenAsync();
        await open.Page.Keyboard.PressAsync("/");
        await Expect(open.Prompt).ToBeFocusedAsync();
        await open.Page.Keyboard.PressAsync("Control+k");
        await Expect(open.Page.GetByLabel("Search conversations")).ToBeFocusedAsync();

        await ChooseAsync(open, "Ctrl+Enter");
        await open.Prompt.FillAsync("What do");
        await open.Prompt.PressAsync("Enter");
        await open.Page.Keyboard.TypeAsync("bees make?");
        await Expect(open.Prompt).ToHaveValueAsync("What do\nbees make?");
        await open.Prompt.PressAsync("Control+Enter");
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync("What do\nbees make?");
        await open.WaitForAnswerAsync();
        await open.Page.Keyboard.PressAsync("Alt+ArrowUp");
        await Expect(open.Page.GetByLabel("Edit the message")).ToBeFocusedAsync();
        await open.Page.Keyboard.PressAsync("Escape");
        await open.Page.Keyboard.PressAsync("Control+Shift+O");
        await Expect(open.Page.Locator("#welcome")).ToBeVisibleAsync();

        await ChooseAsync(open, "Off");
        await open.Page.Locator("#scroller").FocusAsync();
        await open.Page.Keyboard.PressAsync("?");
        await open.Page.Keyboard.PressAsync("/");
        await Expect(open.Page.Locator("#scroller")).ToBeFocusedAsync();
        await Expect(list).ToBeHiddenAsync();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Thoughts_are_folded_and_their_time_is_told()
    {
        await using TestServer server = await TestServer.StartAsync(
            options =>
            {
                options.Models.Context = options.Models.Context with { ContextLength = 2048 };
                options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = """root ::= "<think>\nhmm, bees\n</think>\n\nHoney." """ };
            },
            RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).Not.ToHaveValueAsync(string.Empty);
        await open.AskAsync("What do bees make?");

        ILocator summary = open.LastAnswer.Locator(".thinking summary");
        await Expect(summary).ToHaveTextAsync(new Regex(@"^Thought for [\d.,]+ m?s$"));
        await Expect(open.LastAnswer.Locator(".thought")).ToBeHiddenAsync();
        await Expect(open.LastAnswer.Locator(".body")).ToHaveTextAsync("Honey.");
        await summary.ClickAsync();
        await Expect(open.LastAnswer.Locator(".thought")).ToContainTextAsync("hmm, bees");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Tool_calls_are_shown_and_their_results_are_sent()
    {
        await using TestServer server = await CallingModel.StartAsync();
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).Not.ToHaveValueAsync(string.Empty);
        List<JsonNode> bodies = Record(open);
        await open.SetAsync("Definitions of tools", "[{");
        await Expect(open.Page.Locator("#tools-problem")).ToContainTextAsync("The tools are not valid JSON");
        await open.SetAsync("Definitions of tools", """[{"name":"weather","description":"Tells the weather.","parameters":{"type":"object","properties":{"city":{"type":"string","enum":["Oslo","Rome"]}},"required":["city"],"additionalProperties":false}}]""");
        await Expect(open.Page.Locator("#tools-summary")).ToHaveTextAsync("weather");
        await open.SetAsync("Maximum tokens", "1000");
        await open.AskAsync("How is the weather in Rome?");

        await Expect(open.LastAnswer.Locator(".call")).ToContainTextAsync("Calls weather");
        await Expect(open.LastAnswer.Locator(".call pre").First).ToContainTextAsync("\"city\"");
        await open.SetAsync("Maximum tokens", "2");
        await open.Page.GetByLabel("Result of weather").And(open.Page.Locator("textarea")).FillAsync("Sunny <b>today</b>.");
        await open.LastAnswer.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { NameRegex = new Regex("^Send the result") }).ClickAsync();
        await Expect(open.Page.Locator(".message.assistant")).ToHaveCountAsync(2);
        await open.WaitForAnswerAsync();
        JsonArray messages = bodies[^1]["messages"]!.AsArray();
        ((string?)messages[1]!["tool_calls"]![0]!["function"]!["name"]).Should().Be("weather");
        ((string?)messages[2]!["role"]).Should().Be("tool");
        ((string?)messages[2]!["content"]).Should().Be("Sunny <b>today</b>.");
        await Expect(open.Page.Locator(".message.assistant").First.Locator(".call")).ToContainTextAsync("ResultSunny <b>today</b>.");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Screen_reader_hears_the_beginning_and_the_end_of_an_answer_but_not_each_token()
    {
        await using OpenPage open = await OpenAsync();
        await open.SetAsync("Maximum tokens", "200");
        await open.Page.EvaluateAsync(
            """
            () => {
              window.said = [];
              const announcer = document.getElementById("announcer");
              new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true, characterData: true, subtree: true });
            }
            """);
        string answer = await open.AskAsync("Tell me a story.");
        await open.Page.WaitForFunctionAsync("() => window.said.length >= 2");

        string[] said = await open.Page.EvaluateAsync<string[]>("() => window.said");
        said.Should().HaveCount(2);
        said[0].Should().Be("Answering…");
        said[1].Should().StartWith(answer[..10]);
        (await open.Page.Locator("[aria-live], [role=status], [role=alert], [role=log], output").CountAsync()).Should().Be(2, "only the announcer and the readout of the map speak");
    }

    private static readonly byte[] s_picture = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static async Task<OpenPage> OpenLoadedAsync()
    {
        OpenPage open = await OpenAsync();
        await LoadAsync(open);
        return open;
    }

    private static async Task LoadAsync(OpenPage open)
    {
        await Server.LoadedAsync();
        await open.Page.Locator("#model").SelectOptionAsync(TestServer.Demo);
        await Expect(open.Page.Locator("#state")).ToHaveTextAsync("loaded");
    }

    private static List<JsonNode> Record(OpenPage open)
    {
        var bodies = new List<JsonNode>();
        open.Page.Request += (_, request) =>
        {
            if (request.Url.EndsWith("/api/chat", StringComparison.Ordinal))
            {
                bodies.Add(JsonNode.Parse(request.PostData!)!);
            }
        };
        return bodies;
    }

    private static Task AttachAsync(OpenPage open, params (string Name, byte[] Content)[] files) => AttachAsync(open, string.Empty, files);

    private static Task AttachAsync(OpenPage open, string type, params (string Name, byte[] Content)[] files) => open.Page.Locator("#attach-file").SetInputFilesAsync(
        files.Select(file => new FilePayload { Name = file.Name, MimeType = type, Buffer = file.Content }));

    private static async Task ChooseAsync(OpenPage open, string setting)
    {
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Settings" }).ClickAsync();
        await open.Page.Locator("#preferences").GetByText(setting, new LocatorGetByTextOptions { Exact = true }).ClickAsync();
        await open.Page.Keyboard.PressAsync("Escape");
    }
}

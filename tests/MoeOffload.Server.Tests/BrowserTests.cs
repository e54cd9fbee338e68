using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.Playwright;
using MoeOffload.Fixtures;
using NUnit.Framework;
using static Microsoft.Playwright.Assertions;

namespace MoeOffload.Server.Tests;

/// <summary>The page in a real browser.</summary>
[TestFixture]
public sealed class BrowserTests : PageTests
{

    [Test]
    public async Task Message_is_answered_as_the_text_grows_and_its_speed_is_told()
    {
        await using OpenPage open = await OpenAsync();
        await open.SetAsync("Temperature", "0");
        await open.SetAsync("Maximum tokens", "40");
        string answer = await open.AskAsync(TestServer.ClearQuestion);

        answer.Should().Be((string?)(await Server.AskAsync("/v1/chat/completions", TestServer.Chat(TestServer.ClearQuestion, 40)))["choices"]![0]!["message"]!["content"]);
        await Expect(open.Page.Locator("#figure-ttft")).ToHaveTextAsync(new Regex(@"^[\d.,]+ m?s$"));
        await Expect(open.Page.Locator("#figure-speed")).ToHaveTextAsync(new Regex(@"^[\d.,]+ tokens/s$"));
        await Expect(open.Page.Locator("#figure-answer")).ToHaveTextAsync("40 tokens");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("cut");
        await Expect(open.Prompt).ToBeFocusedAsync();
        await Expect(open.Page.Locator("#announcer")).ToContainTextAsync(answer[..10]);

        // Long enough to be drawn more than once, however fast it comes.
        await open.SetAsync("Maximum tokens", "400");
        await open.Page.EvaluateAsync(
            """
            () => {
              window.lengths = [];
              new MutationObserver(() => window.lengths.push([...document.querySelectorAll(".message.assistant .body")].at(-1).textContent.length))
                .observe(document.getElementById("messages"), { subtree: true, childList: true, characterData: true });
            }
            """);
        await open.AskAsync("Tell me a story.");
        int[] lengths = await open.Page.EvaluateAsync<int[]>("() => window.lengths");
        lengths.Distinct().Count().Should().BeGreaterThan(2);
        lengths.SkipWhile(length => length > lengths[^1]).Where(length => length > 0).Should().BeInAscendingOrder();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Conversation_is_sent_along_and_can_be_retried_or_restarted()
    {
        await using OpenPage open = await OpenAsync();
        List<string> bodies = [];
        open.Page.Request += (_, request) =>
        {
            if (request.Url.EndsWith("/api/chat", StringComparison.Ordinal))
            {
                bodies.Add(request.PostData!);
            }
        };
        await open.SetAsync("Temperature", "0");
        await open.SetAsync("System message", "Be brief.");
        string first = await open.AskAsync("What do bees make?");
        await open.AskAsync("And cows?");
        await open.LastAnswer.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Try again" }).ClickAsync();
        await Expect(open.LastAnswer).Not.ToHaveAttributeAsync("aria-busy", "true");
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(4);
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "New conversation" }).ClickAsync();
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(0);

        string[][] said = [.. bodies.Select(body => JsonDocument.Parse(body).RootElement.GetProperty("messages").EnumerateArray()
            .Select(message => $"{message.GetProperty("role").GetString()}: {message.GetProperty("content").GetString()}").ToArray())];
        said.Should().HaveCount(3);
        said[1].Should().Equal("system: Be brief.", "user: What do bees make?", $"assistant: {first}", "user: And cows?");
        said[2].Should().Equal(said[1]);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Answer_is_stopped_by_the_button_or_a_key([Values] bool byKey)
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 8192, SequenceCount = 1 };
            options.Requests.Sampling = new SamplingOptions { IgnoreEndOfSequence = true };
        });
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await open.Prompt.FillAsync("Tell me a story.");
        await open.Prompt.PressAsync("Enter");
        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();

        if (byKey)
        {
            await open.Page.Keyboard.PressAsync("Escape");
        }
        else
        {
            await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Stop" }).ClickAsync();
        }

        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("stopped");
        await Expect(open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Send" })).ToBeVisibleAsync();
        await Wait.Until(() => server.Statistics.RunningCount == 0);
        (await open.LastAnswer.Locator(".body").InnerTextAsync()).Should().NotBeEmpty();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Model_is_switched_loaded_and_unloaded()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.GetByLabel("Model", new PageGetByLabelOptions { Exact = true }).SelectOptionAsync(Other);
        await Expect(open.Page.Locator("#state")).ToContainTextAsync("not loaded");
        await open.SetAsync("Maximum tokens", "8");
        await open.AskAsync("Hi");
        await Expect(open.LastAnswer.Locator(".author")).ToHaveTextAsync(Other);
        await Expect(open.Page.Locator("#state")).ToHaveTextAsync("loaded");
        Server.Models.GetStatus(Other).State.Should().Be(ModelState.Loaded);

        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Unload" }).ClickAsync();
        await Expect(open.Page.Locator("#state")).ToContainTextAsync("not loaded");
        Server.Models.GetStatus(Other).State.Should().Be(ModelState.Unloaded);
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Load", Exact = true }).ClickAsync();
        await Expect(open.Page.Locator("#state")).ToHaveTextAsync("loaded");
        await open.Page.ReloadAsync();
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(Other);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Placement_memory_and_heat_are_drawn_and_readable_without_seeing()
    {
        await using OpenPage open = await OpenAsync();
        await open.SetAsync("Maximum tokens", "30");
        await open.AskAsync("Tell me a story.");
        await open.AskAsync("What do bees make?");

        await Expect(open.Page.Locator("#memory .device")).ToContainTextAsync(new Regex("System memory.*MiB.*Weights.*KV cache.*Compute"));
        ILocator map = open.Page.Locator("#placement svg.placement-map");
        await Expect(map).ToHaveAttributeAsync("aria-label", new Regex("experts of layers 0–5"));
        (await map.Locator("rect > title").AllTextContentsAsync()).Should().Contain(title => title.StartsWith("layer 3, experts: ", StringComparison.Ordinal));
        ILocator heat = open.Page.Locator("#experts canvas.heat");
        int colors = await heat.EvaluateAsync<int>(
            """
            canvas => {
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              const seen = new Set();
              for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
              return seen.size;
            }
            """);
        colors.Should().BeGreaterThan(10);

        await heat.FocusAsync();
        await open.Page.Keyboard.PressAsync("ArrowRight");
        await open.Page.Keyboard.PressAsync("ArrowRight");
        await open.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(open.Page.Locator("#expert-readout")).ToHaveTextAsync(new Regex(@"^Layer 1, expert 1: selected [\d,]+ times, [\d.]+ %, [\d.]+× an even share$"));
        int all = await TokensAsync(open);
        await open.Page.GetByText("Last answer").ClickAsync();
        int last = await TokensAsync(open);
        last.Should().BePositive().And.BeLessThan(all);
        await open.Page.Locator("#experts details summary").ClickAsync();
        await Expect(open.Page.Locator("#experts table tbody tr")).ToHaveCountAsync(6);
        await open.Page.SetViewportSizeAsync(1280, 1400);
        await open.PhotographAsync("experts");
        open.Complaints.Should().BeEmpty();

        static async Task<int> TokensAsync(OpenPage open) =>
            int.Parse((await open.Page.Locator("#experts .note").InnerTextAsync()).Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
    }

    [Test]
    public async Task Tensors_on_two_devices_are_told_apart()
    {
        using var device = RpcServer.Start();
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Load = new ModelOptions { RpcServers = [device.Address], Placement = TensorPlacement.ExpertsToCpu(firstLayers: 4) });
        using ModelLease lease = await server.Models.AcquireAsync(TestServer.Demo);
        string name = lease.Model.Placement.Devices[0].Device;
        await using OpenPage open = await Browser.OpenAsync(server);

        ILocator map = open.Page.Locator("#placement svg.placement-map");
        await Expect(map).ToHaveAttributeAsync("aria-label", new Regex($"{name}: attention of layers 0–5.* experts of layers 4–5.*system memory: experts of layers 0–3"));
        await Expect(open.Page.Locator("#memory .device")).ToHaveCountAsync(2);
        string[] colors = await map.EvaluateAsync<string[]>("map => [...new Set([...map.querySelectorAll('rect:has(> title)')].map(cell => getComputedStyle(cell).fill))]");
        colors.Should().HaveCount(2);
        await Expect(open.Page.Locator("#experts")).ToHaveTextAsync("The server does not count the selected experts.");
        await open.Page.SetViewportSizeAsync(1280, 1100);
        await open.PhotographAsync("two-devices");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Plan_is_shown_beside_what_the_model_uses()
    {
        using var device = RpcServer.Start();
        await using TestServer server = await TestServer.StartAsync(options => options.Models.Load = new ModelOptions { RpcServers = [device.Address], Placement = TensorPlacement.Auto(marginBytes: 0) });
        using ModelLease lease = await server.Models.AcquireAsync(TestServer.Demo);
        PlacementPlan plan = lease.Model.Plan!;
        await using OpenPage open = await Browser.OpenAsync(server);

        await Expect(open.Page.Locator("#memory .plan code")).ToHaveTextAsync(plan.ToString());
        await Expect(open.Page.Locator("#memory .plan")).ToContainTextAsync(new Regex($"{plan.ExpertLayersOnDevices} of 6 layers have their experts on devices, and [\\d.]+ % of what a token reads"));
        await Expect(open.Page.Locator("#memory .device").First).ToContainTextAsync(new Regex(@"Planned [\d.]+ MiB(, as it is|: [\d.]+ [KM]?i?B (more|less) are used)\."));
        await Expect(open.Page.Locator("#memory .device .plan-mark").First).ToBeVisibleAsync();
        await Expect(open.Page.Locator("#tiers")).ToBeHiddenAsync();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Experts_that_stay_in_the_file_are_counted_while_they_are_used()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Models.Load = new ModelOptions { Experts = ExpertStorage.Limit(2 << 20) });
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await Expect(open.Page.Locator("#tiers")).ToBeHiddenAsync();
        await open.SetAsync("Maximum tokens", "24");
        await open.AskAsync("Tell me a story.");
        ILocator figures = open.Page.Locator("#tiers dd");
        await Expect(open.Page.Locator("#tiers .note")).ToContainTextAsync(new Regex(@"^[\d.]+ MiB of [\d.]+ MiB of experts are in memory, at most [\d.]+ MiB\."));
        await Expect(figures.First).ToHaveTextAsync(new Regex(@"^[\d.]+ %$"));
        string before = await figures.Nth(2).InnerTextAsync();
        await open.AskAsync("What do bees make?");
        await Expect(figures.Nth(2)).Not.ToHaveTextAsync(before);
        await open.Page.Locator("#tiers summary").ClickAsync();
        await Expect(open.Page.Locator("#tiers tbody tr")).ToHaveCountAsync(6);
        await open.Page.Locator("#tiers").ScrollIntoViewIfNeededAsync();
        await open.PhotographAsync("tiers");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Markup_in_texts_is_shown_as_text()
    {
        const string Hostile = """<img src=x onerror=alert(1)><script>alert(2)</script> [x](javascript:alert(3)) [y](data:text/html,x) **bold** `<b>code</b>`""";
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = $"root ::= \"{Hostile}\"" });
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);

        string answer = await open.AskAsync("<i>Hi</i> <script>alert(4)</script>");

        answer.Should().Be("""<img src=x onerror=alert(1)><script>alert(2)</script> [x](javascript:alert(3)) [y](data:text/html,x) bold <b>code</b>""");
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync("<i>Hi</i> <script>alert(4)</script>");
        await Expect(open.Page.Locator(".messages").Locator("img, script, a, i, b")).ToHaveCountAsync(0);
        await Expect(open.LastAnswer.Locator("strong")).ToHaveTextAsync("bold");
        await Expect(open.LastAnswer.Locator("code")).ToHaveTextAsync("<b>code</b>");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Markdown_is_shown_as_what_it_means()
    {
        await using OpenPage open = await OpenAsync();
        string html = await open.Page.EvaluateAsync<string>(
            """
            async () => {
              const { MarkdownView } = await import("./web/markdown.js");
              const parent = document.createElement("div");
              const view = new MarkdownView(parent);
              const text = "# Title\nfirst *line*\nsecond\n\n- a\n  - b\n- c\n\n3. d\n\n> quoted\n\n```cs\nint x = 1 < 2;\n```\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n[x](https://example.org/)\n\n2 * 3 * 4\n\n1. run\n   ```sh\n   ls -l # all\n   ```\n2. see\n\n   then\n\n- [x] done\n\n~~old~~ _new_ a_b_c \\*plain\\* (https://example.org/a?b=c).";
              for (let end = 1; end <= text.length; end++) view.show(text.slice(0, end));
              return parent.innerHTML;
            }
            """);

        html.Should().Be(
            """<h3>Title</h3><p>first <em>line</em><br>second</p><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol start="3"><li>d</li></ol>"""
            + """<blockquote><p>quoted</p></blockquote>"""
            + """<div class="code"><div class="code-head"><span>cs</span><button type="button" class="small">Copy</button></div><pre tabindex="0"><code><span class="keyword">int</span> x = <span class="number">1</span> &lt; <span class="number">2</span>;</code></pre></div>"""
            + """<div class="table-scroll" tabindex="0"><table><thead><tr><th scope="col">a</th><th scope="col" class="right">b</th></tr></thead><tbody><tr><td>1</td><td class="right">2</td></tr></tbody></table></div>"""
            + """<p><a href="https://example.org/" target="_blank" rel="noopener noreferrer">x</a></p><p>2 * 3 * 4</p>"""
            + """<ol start="1"><li>run<div class="code"><div class="code-head"><span>sh</span><button type="button" class="small">Copy</button></div><pre tabindex="0"><code>ls -l <span class="comment"># all</span></code></pre></div></li><li>see<p>then</p></li></ol>"""
            + """<ul><li class="task"><input type="checkbox" disabled="" aria-label="Done">done</li></ul>"""
            + """<p><del>old</del> <em>new</em> a_b_c *plain* (<a href="https://example.org/a?b=c" target="_blank" rel="noopener noreferrer">https://example.org/a?b=c</a>).</p>""");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Hostile_markdown_becomes_neither_markup_nor_a_long_wait()
    {
        await using OpenPage open = await OpenAsync();
        string[] found = await open.Page.EvaluateAsync<string[]>(
            """
            async () => {
              const { MarkdownView } = await import("./web/markdown.js");
              const texts = [
                "```\"><img src=x onerror=alert(1)>\n<script>alert(2)</script>\n```", "```html\n<img src=x onerror=alert(3)> <!-- <b> -->\n```",
                "| <i>a</i> | [x](javascript:alert(4)) |\n|--|--|\n| <img src=x> | [y](https://a.b/\"onmouseover=alert(5)) |", "- [x] <svg onload=alert(6)>",
                "[z](JaVaScRiPt:alert(7)) [w]( javascript:alert(8)) [v](vbscript:x) https://a.b/<script>", "# <img src=x>", "> <b>q</b>", "\\<u>x</u>",
                "*".repeat(20000), "[".repeat(20000), "_a".repeat(10000), "~~".repeat(10000), "`".repeat(20001), "> ".repeat(300) + "x", "- ".repeat(2000), "| ".repeat(5000) + "\n" + "|-".repeat(5000),
                "https://" + ")".repeat(20000), "h".repeat(20000), "\\".repeat(20001), "```js\n" + "\"\\".repeat(10000), "```js\n" + "/*".repeat(10000),
              ];
              const allowed = /^(P|BR|EM|STRONG|DEL|CODE|PRE|DIV|SPAN|BUTTON|UL|OL|LI|INPUT|TABLE|THEAD|TBODY|TR|TH|TD|BLOCKQUOTE|HR|A|H[3-6])$/;
              const found = [];
              for (const text of texts) {
                const parent = document.createElement("div");
                const begun = performance.now();
                new MarkdownView(parent).show(text);
                if (performance.now() - begun > 5000) found.push(`slow: ${text.slice(0, 20)}`);
                for (const element of parent.querySelectorAll("*")) {
                  if (!allowed.test(element.tagName) || [...element.attributes].some(attribute => attribute.name.startsWith("on"))) found.push(element.outerHTML);
                  if (element.tagName === "A" && (!/^https?:/.test(element.href) || element.rel !== "noopener noreferrer")) found.push(element.outerHTML);
                }
              }
              return found;
            }
            """);

        found.Should().BeEmpty();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Error_of_the_server_is_shown_and_told()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.RouteAsync("**/api/chat", route => route.FulfillAsync(new RouteFulfillOptions { Status = 503, Body = """{"error":"The server is full: try later."}""" }));
        await open.AskAsync("Hi");

        await Expect(open.LastAnswer.Locator(".problem")).ToHaveTextAsync("The server is full: try later.");
        await Expect(open.Page.Locator("#announcer")).ToHaveTextAsync("The server is full: try later.");
    }

    [Test]
    public async Task Chat_is_kept_over_a_reload_until_a_new_one_begins()
    {
        await using OpenPage open = await OpenAsync();
        await open.SetAsync("Temperature", "0");
        await open.SetAsync("Maximum tokens", "20");
        string first = await open.AskAsync("What do bees make?");
        await open.Page.ReloadAsync();

        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(2);
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync("What do bees make?");
        (await open.LastAnswer.Locator(".body").InnerTextAsync()).Should().Be(first);
        await Expect(open.LastAnswer.Locator(".author")).ToHaveTextAsync(TestServer.Demo);
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("tokens");
        await Expect(open.Page.Locator("#context-text")).ToHaveTextAsync(new Regex(@"^\d+ of [\d,]+ tokens$"));
        await open.AskAsync("And cows?");
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(4);
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "New conversation" }).ClickAsync();
        await Expect(open.Page.Locator("#context")).ToBeHiddenAsync();
        await open.Page.ReloadAsync();
        await Expect(open.Page.Locator("#welcome")).ToBeVisibleAsync();
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(0);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Question_whose_answer_never_came_can_be_asked_again_after_a_reload()
    {
        await using OpenPage open = await OpenAsync();
        var reached = new TaskCompletionSource();
        await open.Page.RouteAsync("**/api/chat", _ => reached.TrySetResult());
        await open.Prompt.FillAsync("What do bees make?");
        await open.Prompt.PressAsync("Enter");
        await reached.Task;
        await Expect(open.Page.Locator(".conversation")).ToHaveCountAsync(1);
        await open.Page.UnrouteAsync("**/api/chat");
        await open.Page.ReloadAsync();
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("not complete");
        await open.LastAnswer.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Try again" }).ClickAsync();

        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();
        await Expect(open.LastAnswer).Not.ToHaveAttributeAsync("aria-busy", "true");
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(2);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Chat_that_outgrows_the_context_goes_on_and_the_page_says_so([Values(1280, 390)] int width)
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 256, SequenceCount = 1 };
            options.Requests.Sampling = SamplingOptions.Greedy;
        });
        await using OpenPage open = await Browser.OpenAsync(server, new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = 860 } });
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        for (int i = 0; i < 8; i++)
        {
            await open.AskAsync("What do bees make, and what do cows make, and what do hens make?");
            await Expect(open.LastAnswer.Locator(".problem")).ToHaveCountAsync(0);
            await ExpectEndAsync(open);
        }

        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("oldest messages were left out");
        await Expect(open.Page.Locator("#context-text")).ToHaveTextAsync(new Regex(@"^\d+ of 256 tokens$"));
        await Expect(open.LastAnswer.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Try again" })).ToBeInViewportAsync();
        await open.PhotographAsync($"full-context-{width}");

        await open.AskAsync(string.Join(' ', Enumerable.Repeat("word", 400)));
        await Expect(open.LastAnswer.Locator(".problem")).ToHaveTextAsync(new Regex(@"^The message is too long: it has \d+ tokens, and the model's context has room for 256\. Send a shorter one, or start the server with a longer context\.$"));
        await ExpectEndAsync(open);
        await Expect(open.LastAnswer.Locator(".problem")).ToBeInViewportAsync();
        await open.PhotographAsync($"too-long-{width}");
    }

    [Test]
    public async Task Reader_further_up_is_left_there()
    {
        await using OpenPage open = await OpenAsync();
        await open.SetAsync("Maximum tokens", "300");
        await open.AskAsync("Tell me a story.");
        await open.AskAsync("Tell me another story.");
        await open.Page.SetViewportSizeAsync(1280, 320);
        await open.Prompt.FillAsync("Tell me a third story.");
        await open.Prompt.PressAsync("Enter");
        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();
        await open.Page.EvaluateAsync("() => { document.getElementById('scroller').scrollTop = 0; }");
        await Expect(open.LastAnswer).Not.ToHaveAttributeAsync("aria-busy", "true");

        (await open.Page.EvaluateAsync<int>("() => document.getElementById('scroller').scrollTop")).Should().Be(0);
    }

    [Test]
    public async Task Error_about_the_programs_own_code_is_put_into_the_users_words()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.RouteAsync("**/api/chat", route => route.FulfillAsync(new RouteFulfillOptions
        {
            Status = 400,
            Body = """{"error":"The running generations fill the context. Increase ContextOptions.ContextLength, or decrease SequenceCount."}""",
        }));
        await open.AskAsync("Hi");

        await Expect(open.LastAnswer.Locator(".problem")).ToHaveTextAsync("The running generations fill the context.");
    }

    [Test]
    public async Task Suggestions_suit_the_model()
    {
        await using OpenPage open = await OpenAsync();
        await Expect(open.Page.Locator("#examples button").First).ToContainTextAsync("brave fox");
        await open.Page.Locator("#model").SelectOptionAsync(Other);

        await Expect(open.Page.Locator("#examples button")).ToHaveCountAsync(3);
        await Expect(open.Page.Locator("#examples")).Not.ToContainTextAsync("one plus seven");
        await Expect(open.Page.Locator("#examples")).Not.ToContainTextAsync("bees");
    }

    // The size of the messages' part changes with the next frame.
    private static async Task ExpectEndAsync(OpenPage open) => await open.Page.WaitForFunctionAsync(
        "() => { const it = document.getElementById('scroller'); return it.scrollHeight - it.scrollTop - it.clientHeight < 2; }");

    [Test]
    public async Task Key_is_asked_for_where_the_server_has_one()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Access.ApiKeys = ["secret"]);
        await using OpenPage open = await Browser.OpenAsync(server);
        ILocator dialog = open.Page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "API key" });
        await Expect(dialog).ToBeVisibleAsync();
        await open.Page.GetByLabel("Key", new PageGetByLabelOptions { Exact = true }).FillAsync("wrong");
        await open.Page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToBeVisibleAsync();
        await open.Page.GetByLabel("Key", new PageGetByLabelOptions { Exact = true }).FillAsync("secret");
        await open.Page.Keyboard.PressAsync("Enter");

        await Expect(dialog).ToBeHiddenAsync();
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        (await open.AskAsync("What do bees make?")).Should().NotBeEmpty();
    }

    [Test]
    public async Task Everything_is_reached_with_the_keyboard()
    {
        await using OpenPage open = await OpenAsync();
        await Expect(open.Prompt).ToBeFocusedAsync();
        await open.SetAsync("Maximum tokens", "8");
        await open.AskAsync("Hi");
        await open.Prompt.FillAsync("And now?");
        await open.Page.Locator(".skip").FocusAsync();
        List<string> reached = [];
        for (int presses = 0; presses < 60; presses++)
        {
            await open.Page.Keyboard.PressAsync("Tab");
            string where = await open.Page.EvaluateAsync<string>(
                """
                () => {
                  const element = document.activeElement;
                  if (element === document.body) return "";
                  const style = getComputedStyle(element);
                  const outlined = style.outlineStyle !== "none" || element.matches(".segments input, .skip") || getComputedStyle(element.closest(".card") ?? element).outlineStyle !== "none";
                  return `${outlined ? "" : "unmarked "}${element.id || element.className || element.textContent || element.value}`;
                }
                """);
            if (where.Length == 0)
            {
                break;
            }

            reached.Add(where);
        }

        reached.Should().ContainInOrder("sidebar-toggle", "model", "unload", "shortcuts-open", "preferences-open", "panel-toggle", "new-chat", "search", "scroller", "prompt", "attach", "send", "preset", "temperature", "heat");
        reached.Should().NotContain(where => where.StartsWith("unmarked", StringComparison.Ordinal));
    }
}

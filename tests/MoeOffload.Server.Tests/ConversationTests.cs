using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.Playwright;
using NUnit.Framework;
using static Microsoft.Playwright.Assertions;

namespace MoeOffload.Server.Tests;

/// <summary>The conversations that the page keeps in the browser.</summary>
[TestFixture]
public sealed class ConversationTests : PageTests
{
    private const string Bees = "What do bees make?";
    private const string Cows = "What do cows make?";

    [Test]
    public async Task Conversations_are_listed_renamed_found_deleted_and_restored()
    {
        await using OpenPage open = await OpenShortAsync();
        await open.AskAsync(Bees);
        await NewAsync(open);
        await open.AskAsync(Cows);
        await Expect(open.Conversations).ToHaveTextAsync([Cows, Bees]);

        await open.ChooseAsync(Bees, "Rename");
        await open.Page.GetByLabel("Name of the conversation").FillAsync("Insects <b>");
        await open.Page.Keyboard.PressAsync("Enter");
        await Expect(open.Conversations).ToHaveTextAsync([Cows, "Insects <b>"]);
        await Expect(open.Page.Locator(".conversation a[aria-current=page]")).ToHaveTextAsync(Cows);

        ILocator search = open.Page.GetByLabel("Search conversations");
        await search.FillAsync("BEES make");
        await Expect(open.Conversations).ToHaveCountAsync(1);
        await Expect(open.Conversations).ToContainTextAsync("Insects <b>");
        await search.FillAsync("zebra");
        await Expect(open.Page.Locator("#conversation-note")).ToHaveTextAsync("No conversation contains that.");
        await search.FillAsync(string.Empty);

        await open.ChooseAsync(Cows, "Delete");
        await Expect(open.Conversations).ToHaveCountAsync(1);
        await Expect(open.Page.Locator("#welcome")).ToBeVisibleAsync();
        await open.Page.ReloadAsync();
        await Expect(open.Conversations).ToHaveTextAsync(["Insects <b>"]);
        await open.Conversations.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync(Bees);
        await open.ChooseAsync("Insects <b>", "Delete");
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await Expect(open.Conversations).ToHaveCountAsync(1);
        await Expect(open.Page.Locator(".message.user .body")).ToHaveTextAsync(Bees);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Message_is_edited_and_answered_in_versions_that_stay()
    {
        await using OpenPage open = await OpenShortAsync();
        string bees = await open.AskAsync(Bees);
        ILocator question = open.Page.Locator(".message.user").Last;
        await OpenPage.PressAsync(question, "Edit");
        await open.Page.GetByLabel("Edit the message").FillAsync("What do hens eat?");
        await open.Page.Keyboard.PressAsync("Escape");
        await Expect(question.Locator(".body")).ToHaveTextAsync(Bees);
        await OpenPage.PressAsync(question, "Edit");
        await open.Page.GetByLabel("Edit the message").FillAsync(Cows);
        await open.Page.Keyboard.PressAsync("Control+Enter");
        await Expect(question.Locator(".version")).ToHaveTextAsync("2/2");
        await open.WaitForAnswerAsync();
        string cows = await open.LastAnswer.Locator(".body").InnerTextAsync();

        await OpenPage.PressAsync(open.LastAnswer, "Edit the answer");
        await open.Page.GetByLabel("Edit the answer", new PageGetByLabelOptions { Exact = true }).And(open.Page.Locator("textarea")).FillAsync("Cows make *milk*.");
        await OpenPage.PressAsync(open.LastAnswer, "Save");
        await Expect(open.LastAnswer.Locator(".version")).ToHaveTextAsync("2/2");
        await Expect(open.LastAnswer.Locator("em")).ToHaveTextAsync("milk");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("edited");
        await OpenPage.PressAsync(open.LastAnswer, "Previous version");
        await Expect(open.LastAnswer.Locator(".body")).ToHaveTextAsync(cows);
        await Expect(open.Page.Locator("#announcer")).ToHaveTextAsync("Version 1 of 2");
        await OpenPage.PressAsync(question, "Previous version");
        await Expect(question.Locator(".body")).ToHaveTextAsync(Bees);
        await Expect(open.LastAnswer.Locator(".body")).ToHaveTextAsync(bees);
        await Expect(question.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Next version" })).ToBeFocusedAsync();

        await open.Page.ReloadAsync();
        await Expect(question.Locator(".version")).ToHaveTextAsync("1/2");
        await OpenPage.PressAsync(question, "Next version");
        await Expect(open.LastAnswer.Locator(".version")).ToHaveTextAsync("2/2");
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(2);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Answer_that_was_cut_is_continued_where_it_ends()
    {
        await using OpenPage open = await OpenShortAsync();
        var bodies = new List<JsonNode>();
        open.Page.Request += (_, request) =>
        {
            if (request.Url.EndsWith("/api/chat", StringComparison.Ordinal))
            {
                bodies.Add(JsonNode.Parse(request.PostData!)!);
            }
        };
        await open.SetAsync("Maximum tokens", "8");
        string beginning = await open.AskAsync("Tell me a story about a brave fox.");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("8 tokens");
        await OpenPage.PressAsync(open.LastAnswer, "Continue");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("16 tokens");

        (await open.LastAnswer.Locator(".body").InnerTextAsync()).Should().StartWith(beginning).And.NotBe(beginning);
        bodies.Should().HaveCount(2);
        JsonNode last = bodies[1]["messages"]!.AsArray()[^1]!;
        ((string?)last["role"]).Should().Be("assistant");
        ((string?)last["content"]).Should().Be(beginning);
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(2);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Conversations_are_exported_and_imported_with_all_versions()
    {
        await using OpenPage open = await OpenShortAsync();
        await open.SetAsync("System message", "Be brief.");
        string answer = await open.AskAsync(Bees);
        await OpenPage.PressAsync(open.LastAnswer, "Try again");
        await Expect(open.LastAnswer.Locator(".version")).ToHaveTextAsync("2/2");
        await open.WaitForAnswerAsync();

        string markdown = await DownloadAsync(open, () => open.ChooseAsync(Bees, "Export as Markdown"));
        markdown.Should().Be($"# {Bees}\n\n## System\n\nBe brief.\n\n## You\n\n{Bees}\n\n## {TestServer.Demo}\n\n{answer}\n");
        string json = await DownloadAsync(open, () => open.ChooseAsync(Bees, "Export as JSON"));
        JsonNode exported = JsonNode.Parse(json)!;
        exported["conversations"]![0]!["messages"]!.AsArray().Should().HaveCount(3);

        await open.Page.Locator(".sidebar summary").ClickAsync();
        (await DownloadAsync(open, () => open.Page.GetByText("Export all").ClickAsync())).Should().Be(json);
        await open.Page.GetByText("Delete all").ClickAsync();
        await Expect(open.Conversations).ToHaveCountAsync(0);
        await ImportAsync(open, "chats.json", json);
        await Expect(open.Conversations).ToHaveTextAsync([Bees]);
        await Expect(open.LastAnswer.Locator(".version")).ToHaveTextAsync("2/2");
        await Expect(open.Page.Locator("#system")).ToHaveValueAsync("Be brief.");

        await ImportAsync(open, "notes.json", "{ not JSON");
        await Expect(open.Page.Locator("#toast")).ToHaveTextAsync("notes.json cannot be imported: it is not JSON. Choose a file that this page has exported.");
        await ImportAsync(open, "other.json", """{"format":"other"}""");
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("no conversations of this page");
        exported["conversations"]![0]!["messages"]!.AsArray().RemoveAt(0);
        exported["conversations"]![0]!["messages"]!.AsArray().RemoveAt(0);
        exported["conversations"]![0]!["messages"]!.AsArray().RemoveAt(0);
        exported["conversations"]![0]!["messages"]!.AsArray().Add(JsonNode.Parse("""{"id":"a","parent":"b","role":"user","content":"x"}"""));
        await ImportAsync(open, "torn.json", exported.ToJsonString());
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("messages are missing in it");
        await Expect(open.Conversations).ToHaveCountAsync(1);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Imported_conversation_cannot_bring_markup_or_unknown_fields()
    {
        await using OpenPage open = await OpenAsync();
        await ImportAsync(open, "hostile.json", """
            {"format":"moeoffload-conversations","version":1,"conversations":[{"id":"x","title":"<img src=x onerror=alert(1)>","system":7,"messages":[
              {"id":"a","parent":null,"role":"user","content":"<script>alert(2)</script>","attachments":[{"kind":"text","name":"<b>.txt","bytes":1,"text":"x"},{"kind":"image","type":"image/svg+xml","data":"PHN2Zz4="},9]},
              {"id":"b","parent":"a","role":"assistant","content":"[x](javascript:alert(3)) [y](https://example.org\" onclick=\"alert(4))","model":"<i>m</i>","state":"<s>","thinking":"<u>t</u>","calls":[{"name":"<b>f</b>","arguments":{"<i>":1}}],"figures":{"speed":"fast","usedTokens":1e999},"onclick":"alert(5)","__proto__":{"role":"user"}},
              {"id":"c","parent":"b","role":"system","content":"left out"},
              {"id":"a","parent":"b","role":"user","content":"a loop"}
            ]}]}
            """.Replace("1e999", "1e300", StringComparison.Ordinal));

        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("messages are missing in it");
        await ImportAsync(open, "hostile.json", """
            {"format":"moeoffload-conversations","version":1,"conversations":[{"id":"x","title":"<img src=x onerror=alert(1)>","system":7,"messages":[
              {"id":"a","parent":null,"role":"user","content":"<script>alert(2)</script>","attachments":[{"kind":"text","name":"<b>.txt","bytes":1,"text":"x"},{"kind":"image","type":"image/svg+xml","data":"PHN2Zz4="},9]},
              {"id":"b","parent":"a","role":"assistant","content":"[x](javascript:alert(3)) <b>y</b>","model":"<i>m</i>","state":"<s>","thinking":"<u>t</u>","calls":[{"name":"<b>f</b>","arguments":{"<i>":1}}],"figures":{"speed":"fast"},"__proto__":{"role":"user"}},
              {"id":"c","parent":"b","role":"system","content":"left out"}
            ]}]}
            """);
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(2);
        await Expect(open.Conversations).ToHaveTextAsync(["<img src=x onerror=alert(1)>"]);
        await Expect(open.LastAnswer.Locator(".body")).ToHaveTextAsync("[x](javascript:alert(3)) <b>y</b>");
        await Expect(open.LastAnswer.Locator(".author")).ToHaveTextAsync("<i>m</i>");
        await Expect(open.LastAnswer.Locator(".call")).ToContainTextAsync("Calls <b>f</b>");
        await Expect(open.Page.Locator(".chip")).ToHaveCountAsync(1);
        await Expect(open.Page.Locator(".messages, .conversations").Locator("img, script, i, b, u, s, a[href^=javascript]")).ToHaveCountAsync(0);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Tabs_that_use_the_same_conversation_lose_nothing()
    {
        await using OpenPage open = await OpenShortAsync();
        await open.AskAsync(Bees);
        OpenPage other = await open.OpenTabAsync();
        await Expect(other.Page.Locator(".message")).ToHaveCountAsync(2);
        await open.AskAsync(Cows);
        await Expect(other.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await other.AskAsync("What do hens make?");
        await Expect(open.Page.Locator(".message.user").Last.Locator(".version")).ToHaveTextAsync("1/2");
        await other.ChooseAsync(Bees, "Rename");
        await other.Page.GetByLabel("Name of the conversation").FillAsync("Animals");
        await other.Page.Keyboard.PressAsync("Enter");
        await Expect(open.Conversations).ToHaveTextAsync(["Animals"]);
        await Expect(open.Page).ToHaveTitleAsync("Animals – MoeOffload");

        await other.ChooseAsync("Animals", "Delete");
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("Another tab has deleted this conversation.");
        await open.AskAsync("And now?");
        await Expect(other.Conversations).ToHaveTextAsync(["Animals"]);
        await open.Page.ReloadAsync();
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(6);
        await Expect(open.Page.Locator(".message.user").Nth(1).Locator(".version")).ToHaveTextAsync("1/2");
        open.Complaints.Concat(other.Complaints).Should().BeEmpty();
    }

    [Test]
    public async Task Message_that_two_tabs_continue_at_the_same_time_is_kept_twice()
    {
        await using OpenPage open = await OpenAsync();
        string[] kept = await open.Page.EvaluateAsync<string[]>(
            """
            async () => {
              const store = await import("./web/conversations.js");
              const conversation = store.newConversation("Animals", "");
              const message = store.newMessage(conversation.id, null, "assistant", "Bees", { writer: "before" });
              await store.write([{ conversation, messages: [message] }]);
              const first = { ...message, base: "before", writer: "first", content: "Bees make honey" };
              const second = { ...message, base: "before", writer: "second", content: "Bees fly" };
              await Promise.all([store.save(first), store.save(second)]);
              await store.save({ ...first, content: "Bees make honey." });
              await store.save({ ...second, content: "Bees fly." });
              return (await store.read(conversation.id)).messages.map(({ content, parent }) => `${content} ${parent}`).sort();
            }
            """);

        kept.Should().Equal("Bees fly. null", "Bees make honey. null");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Answer_goes_on_while_another_conversation_is_shown()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 8192, SequenceCount = 1 };
            options.Requests.Sampling = new SamplingOptions { IgnoreEndOfSequence = true };
        });
        await using OpenPage open = await Browser.OpenAsync(server);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await open.Prompt.FillAsync(Bees);
        await open.Prompt.PressAsync("Enter");
        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();
        await NewAsync(open);
        await Expect(open.Page.Locator("#stop")).ToBeHiddenAsync();
        server.Statistics.RunningCount.Should().Be(1);
        await open.Conversations.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(open.LastAnswer).ToHaveAttributeAsync("aria-busy", "true");
        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();
        await open.Page.Keyboard.PressAsync("Escape");
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("stopped");
        await open.ChooseAsync(Bees, "Delete");
        await Expect(open.Page.Locator("#welcome")).ToBeVisibleAsync();
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Full_storage_is_told_and_the_chat_goes_on()
    {
        await using OpenPage open = await OpenShortAsync();
        ICDPSession session = await open.Page.Context.NewCDPSessionAsync(open.Page);
        await session.SendAsync("Storage.overrideQuotaForOrigin", new Dictionary<string, object> { ["origin"] = Server.Address.GetLeftPart(UriPartial.Authority), ["quotaSize"] = 1 });
        (await open.AskAsync(Bees)).Should().NotBeEmpty();
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("The browser has no room left for conversations. Export or delete some");
        await open.AskAsync(Cows);
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(4);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Page_works_where_the_browser_keeps_nothing()
    {
        await using OpenPage open = await OpenAsync();
        await open.Page.AddInitScriptAsync(
            """
            const deny = () => { throw new DOMException("denied", "SecurityError"); };
            for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get: deny });
            Object.defineProperty(window, "indexedDB", { value: { open: deny } });
            """);
        await open.Page.ReloadAsync();
        await Expect(open.Page.Locator("#conversation-note")).ToContainTextAsync("The browser does not keep conversations here");
        await open.SetAsync("Maximum tokens", "8");
        (await open.AskAsync(Bees)).Should().NotBeEmpty();
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("Copy what you want to keep before you close this tab.");
        await open.Page.Locator("#toast").GetByLabel("Close this message").ClickAsync();
        await open.AskAsync(Cows);
        await Expect(open.Page.Locator("#toast")).ToBeHiddenAsync();
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(4);
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Lost_server_is_noticed_and_the_text_so_far_is_kept()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 8192, SequenceCount = 1 };
            options.Requests.Sampling = new SamplingOptions { IgnoreEndOfSequence = true };
        });
        using var relay = new Relay(server.Address);
        await using OpenPage open = await Browser.OpenAsync(relay.Address);
        await Expect(open.Page.Locator("#model")).ToHaveValueAsync(TestServer.Demo);
        await open.Prompt.FillAsync("Tell me a story.");
        await open.Prompt.PressAsync("Enter");
        await Expect(open.LastAnswer.Locator(".body")).Not.ToBeEmptyAsync();

        relay.Cut();
        await Expect(open.LastAnswer.Locator(".problem")).ToContainTextAsync("The connection to the server was lost. What had arrived is kept");
        await Expect(open.Page.Locator("#lost")).ToContainTextAsync("The server does not answer.");
        string kept = await open.LastAnswer.Locator(".body").InnerTextAsync();
        kept.Should().NotBeEmpty();
        relay.Mend();
        await Expect(open.Page.Locator("#lost")).ToBeHiddenAsync();
        await open.Page.ReloadAsync();
        await Expect(open.LastAnswer.Locator(".body")).ToHaveTextAsync(new Regex($"^{Regex.Escape(kept)}$"));
        await open.SetAsync("Maximum tokens", "8");
        await OpenPage.PressAsync(open.LastAnswer, "Continue");
        await open.WaitForAnswerAsync();
        await Expect(open.LastAnswer.Locator(".problem")).ToBeHiddenAsync();
        await Expect(open.LastAnswer.Locator(".foot")).ToContainTextAsync("8 tokens");
    }

    private static async Task<OpenPage> OpenShortAsync()
    {
        OpenPage open = await OpenAsync();
        await open.SetAsync("Temperature", "0");
        await open.SetAsync("Maximum tokens", "24");
        return open;
    }

    private static async Task NewAsync(OpenPage open)
    {
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "New conversation" }).ClickAsync();
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(0);
    }

    private static async Task<string> DownloadAsync(OpenPage open, Func<Task> action)
    {
        IDownload download = await open.Page.RunAndWaitForDownloadAsync(action);
        return await File.ReadAllTextAsync(await download.PathAsync());
    }

    private static Task ImportAsync(OpenPage open, string name, string text) => open.Page.Locator("#import-file").SetInputFilesAsync(
        new FilePayload { Name = name, MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(text) });
}

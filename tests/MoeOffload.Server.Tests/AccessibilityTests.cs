using FluentAssertions;
using Microsoft.Playwright;
using NUnit.Framework;
using static Microsoft.Playwright.Assertions;

namespace MoeOffload.Server.Tests;

/// <summary>The page for people who do not see it, see little, or use it on a phone.</summary>
[TestFixture]
public sealed class AccessibilityTests : PageTests
{
    // A conversation with everything that messages can have.
    private const string Rich =
        """
        {"format":"moeoffload-conversations","version":1,"conversations":[{"id":"c","title":"Sorting in C#","system":"","created":1,"updated":1,"messages":[
          {"id":"1","parent":null,"role":"user","content":"How do I sort a list of words by their length in C#? See my file.","attachments":[{"kind":"text","name":"words.txt","bytes":812,"tokens":203,"text":"fox bear"}]},
          {"id":"2","parent":"1","role":"assistant","model":"tiny-moe","state":"complete","thinking":"They want LINQ. OrderBy is stable.","thinkingTime":2340,"content":"Use **`OrderBy`**, which keeps the order of equal words:\n\n```csharp\nusing System.Linq;\n\n// Sorts words by length, and equal ones as they come.\nstring[] Sort(IEnumerable<string> words) =>\n    [.. words.OrderBy(word => word.Length)];\n```\n\n| Method | Stable | Time |\n|:--|:-:|--:|\n| `OrderBy` | yes | n log n |\n| `List.Sort` | no | n log n |\n\n1. It sorts *lazily*.\n2. It works with:\n   - arrays\n   - lists\n\n> The result is a new array.\n\nSee [the documentation](https://learn.microsoft.com/dotnet/).","figures":{"firstToken":412,"speed":38.4,"promptTokens":120,"answerTokens":164,"usedTokens":284}},
          {"id":"3","parent":"2","role":"user","content":"And in descending order?"},
          {"id":"4","parent":"3","role":"assistant","model":"tiny-moe","state":"complete","content":"","calls":[{"id":"c1","name":"search_docs","arguments":{"query":"OrderByDescending"}}]},
          {"id":"5","parent":"4","role":"tool","content":"Sorts in descending order.","toolName":"search_docs","callId":"c1"},
          {"id":"6","parent":"5","role":"assistant","model":"tiny-moe","state":"stopped","content":"Use `OrderByDescending`"},
          {"id":"7","parent":"5","role":"assistant","model":"tiny-moe","state":"broken","content":"Use `OrderByDesc","problem":"The connection to the server was lost."}
        ]}]}
        """;

    [Test]
    public async Task Page_is_named_labelled_and_legible(
        [Values(ColorScheme.Light, ColorScheme.Dark)] ColorScheme scheme, [Values(1280, 390)] int width)
    {
        await using OpenPage open = await Browser.OpenAsync(Server, new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new ViewportSize { Width = width, Height = 860 },
        });
        string name = $"{scheme}-{width}".ToLowerInvariant();
        bool isNarrow = width < 1024;
        await Server.LoadedAsync();
        await open.Page.Locator("#model").SelectOptionAsync(TestServer.Demo);
        await Expect(open.Page.Locator("#state")).ToHaveTextAsync("loaded");
        await Expect(open.Page.Locator("#panel")).ToBeVisibleAsync(new LocatorAssertionsToBeVisibleOptions { Visible = !isNarrow });
        await CheckAsync(open, $"{name}-empty");

        await open.AskAsync("What do bees make?");
        await open.Page.Locator("#import-file").SetInputFilesAsync(new FilePayload { Name = "rich.json", MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(Rich) });
        await Expect(open.Page.Locator(".message")).ToHaveCountAsync(5);
        await open.Page.GetByLabel("Close this message").ClickAsync();
        await open.Page.EvaluateAsync("() => { document.getElementById('scroller').scrollTop = 0; }");
        await CheckAsync(open, $"{name}-chat");
        await open.Page.Locator(".thinking summary").First.ClickAsync();
        await open.Page.GetByLabel("Edit", new PageGetByLabelOptions { Exact = true }).First.ClickAsync();
        await CheckAsync(open, $"{name}-edit");
        await open.Page.Keyboard.PressAsync("Escape");

        if (isNarrow)
        {
            await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Conversations", Exact = true }).ClickAsync();
        }

        await open.Page.Locator(".sidebar summary").ClickAsync();
        await CheckAsync(open, $"{name}-list");
        await open.Page.GetByLabel("Actions for Sorting in C#").ClickAsync();
        await CheckAsync(open, $"{name}-menu");
        await open.Page.Keyboard.PressAsync("Escape");
        await open.Page.Keyboard.PressAsync("Escape");

        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Settings" }).ClickAsync();
        await CheckAsync(open, $"{name}-settings");
        await open.Page.Keyboard.PressAsync("Escape");
        await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Keyboard shortcuts" }).ClickAsync();
        await CheckAsync(open, $"{name}-keys");
        await open.Page.Keyboard.PressAsync("Escape");

        if (isNarrow)
        {
            await open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Details" }).ClickAsync();
        }

        await Expect(open.Page.Locator("canvas.heat")).ToBeVisibleAsync();
        await open.Page.EvaluateAsync("() => { for (const part of document.querySelectorAll('#panel details')) part.open = true; }");
        await open.Page.Locator("#import-file").SetInputFilesAsync(new FilePayload { Name = "x", MimeType = "text/plain", Buffer = [1] });
        await Expect(open.Page.Locator("#toast")).ToContainTextAsync("cannot be imported");
        await CheckAsync(open, $"{name}-details");
        (await open.Page.EvaluateAsync<string>("() => getComputedStyle(document.querySelector('button')).transitionDuration")).Should().Be("0s");
        open.Complaints.Should().BeEmpty();
    }

    [Test]
    public async Task Parts_over_the_chat_are_closed_with_a_key_or_beside_them_and_give_the_focus_back()
    {
        await using OpenPage open = await OpenAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 860 } });
        ILocator button = open.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Conversations", Exact = true });
        await button.ClickAsync();
        await Expect(button).ToHaveAttributeAsync("aria-expanded", "true");
        await open.Page.GetByLabel("Search conversations").FocusAsync();
        (await open.Page.EvaluateAsync<bool>("() => document.querySelector('.chat').inert")).Should().BeTrue();
        await open.Page.Keyboard.PressAsync("Escape");
        await Expect(open.Page.Locator("#sidebar")).ToBeHiddenAsync();
        await Expect(button).ToBeFocusedAsync();
        await button.ClickAsync();
        await open.Page.Mouse.ClickAsync(380, 500);
        await Expect(open.Page.Locator("#sidebar")).ToBeHiddenAsync();
        (await open.Page.EvaluateAsync<bool>("() => document.querySelector('.chat').inert")).Should().BeFalse();
        open.Complaints.Should().BeEmpty();
    }

    private static async Task CheckAsync(OpenPage open, string name)
    {
        await open.PhotographAsync(name);
        (await open.Page.EvaluateAsync<string[]>(Unnamed)).Should().BeEmpty("each control has a name ({0})", name);
        (await open.Page.EvaluateAsync<string[]>(Dangling)).Should().BeEmpty("identifiers are unique and exist ({0})", name);
        (await open.Page.EvaluateAsync<string[]>(Illegible)).Should().BeEmpty("texts have a contrast of at least 4.5 ({0})", name);
        (await open.Page.EvaluateAsync<string[]>(Overflowing)).Should().BeEmpty("nothing is cut at the side ({0})", name);
    }

    // What a screen reader would have no words for.
    private const string Unnamed =
        """
        () => [...document.querySelectorAll("a, button, input, select, textarea, canvas[tabindex], meter, progress, [role=region], [role=img], [role=group], summary, dialog, nav, section, aside")]
          .filter(element => element.checkVisibility() && !(element.getAttribute("aria-label") || element.textContent.trim() || [...element.labels ?? []].some(label => label.textContent.trim())
            || document.getElementById(element.getAttribute("aria-labelledby"))?.textContent))
          .map(element => element.outerHTML)
        """;

    // References to elements that do not exist, and identifiers of more than one.
    private const string Dangling =
        """
        () => {
          const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
          const references = [...document.querySelectorAll("[for], [aria-labelledby], [aria-describedby], [aria-controls]")]
            .flatMap(element => ["for", "aria-labelledby", "aria-describedby", "aria-controls"].flatMap(name => element.getAttribute(name)?.split(/\s+/) ?? []));
          return [...ids.filter((id, index) => ids.indexOf(id) !== index), ...references.filter(id => !ids.includes(id))];
        }
        """;

    // WCAG's contrast of each visible text with what lies behind it.
    private const string Illegible =
        """
        () => {
          const parse = color => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
          const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
          const luminance = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
          const behind = element => {
            for (; element; element = element.parentElement) {
              const color = parse(getComputedStyle(element).backgroundColor);
              if (color.a === 1) return color;
            }
            return { r: 255, g: 255, b: 255 };
          };
          const found = new Set();
          const check = (text, color, element) => {
            const [light, dark] = [luminance(parse(color)), luminance(behind(element))].sort((a, b) => b - a);
            if ((light + 0.05) / (dark + 0.05) < 4.5) found.add(`${text} (${((light + 0.05) / (dark + 0.05)).toFixed(2)})`);
          };
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const element = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest(".unseen, script, style, title, option, :disabled")) continue;
            const style = getComputedStyle(element);
            check(texts.currentNode.data.trim(), element instanceof SVGElement ? style.fill : style.color, element);
          }
          for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
            if (field.checkVisibility()) check(field.placeholder, getComputedStyle(field, "::placeholder").color, field);
          }
          return [...found];
        }
        """;

    // What is wider than the page or than the part that it is in, and cannot be scrolled to.
    private const string Overflowing =
        """
        () => [document.documentElement, ...document.querySelectorAll(".bar, .sidebar, .scroller, .panel, .composer, .message, dialog[open], .toast, .menu")]
          .filter(element => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
          .map(element => `${element.tagName} ${element.className}: ${element.scrollWidth} > ${element.clientWidth}`)
        """;
}

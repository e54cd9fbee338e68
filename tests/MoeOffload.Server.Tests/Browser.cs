using Microsoft.Playwright;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>A Chromium of this machine, without a window.</summary>
internal sealed class Browser : IAsyncDisposable
{
    // This is in milliseconds, and long enough for a busy machine.
    private const float Patience = 30_000;

    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser)
    {
        _playwright = playwright;
        _browser = browser;
    }

    public static async Task<Browser> StartAsync()
    {
        string program = Find() ?? throw new InvalidOperationException("No Chromium is installed, in which the page is tested: sudo apt-get install chromium");
        Assertions.SetDefaultExpectTimeout(Patience);
        IPlaywright playwright = await Playwright.CreateAsync();
        return new Browser(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program }));
    }

    /// <summary>Opens the page of a server as a new user.</summary>
    public Task<OpenPage> OpenAsync(TestServer server, BrowserNewContextOptions? options = null) => OpenAsync(server.Address, options);

    /// <inheritdoc cref="OpenAsync(TestServer, BrowserNewContextOptions)"/>
    public async Task<OpenPage> OpenAsync(Uri address, BrowserNewContextOptions? options = null)
    {
        IBrowserContext context = await _browser.NewContextAsync(options ?? new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 860 } });
        context.SetDefaultTimeout(Patience);
        var opened = new OpenPage(context, await context.NewPageAsync());
        await opened.Page.GotoAsync(address.AbsoluteUri);
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
        .SelectMany(folder => s_names.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);
}

/// <summary>The page, and the errors that it reported.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public OpenPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.Console += (_, message) => Add(message.Type is "error" or "warning", message.Text);
        page.PageError += (_, error) => Add(true, error);
        page.Dialog += (_, dialog) => Add(true, $"a dialog: {dialog.Message}");
    }

    public IPage Page { get; }

    /// <summary>Opens another tab of the same user.</summary>
    public async Task<OpenPage> OpenTabAsync()
    {
        var tab = new OpenPage(_context, await _context.NewPageAsync());
        await tab.Page.GotoAsync(Page.Url);
        return tab;
    }

    /// <summary>Errors and warnings of the console, exceptions, violations of its policy, and dialogs.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
            {
                return [.. _complaints];
            }
        }
    }

    public ILocator Prompt => Page.GetByLabel("Message", new PageGetByLabelOptions { Exact = true });

    /// <summary>The conversations of the list.</summary>
    public ILocator Conversations => Page.Locator(".conversation");

    public ILocator LastAnswer => Page.Locator(".message.assistant").Last;

    /// <summary>Sends a message, and waits for the whole answer.</summary>
    /// <returns>The answer's text.</returns>
    public async Task<string> AskAsync(string question)
    {
        int before = await Page.Locator(".message.assistant").CountAsync();
        await Prompt.FillAsync(question);
        await Prompt.PressAsync("Enter");
        await Assertions.Expect(Page.Locator(".message.assistant")).ToHaveCountAsync(before + 1);
        await Assertions.Expect(LastAnswer).Not.ToHaveAttributeAsync("aria-busy", "true");
        return await LastAnswer.Locator(".body").InnerTextAsync();
    }

    /// <summary>Waits until an answer is complete.</summary>
    public async Task WaitForAnswerAsync()
    {
        await Assertions.Expect(Page.Locator("#stop")).ToBeHiddenAsync();
        await Assertions.Expect(LastAnswer).Not.ToHaveAttributeAsync("aria-busy", "true");
    }

    /// <summary>Presses a button of a message.</summary>
    public static Task PressAsync(ILocator message, string button) =>
        message.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = button, Exact = true }).ClickAsync();

    /// <summary>Chooses an action of a conversation.</summary>
    public async Task ChooseAsync(string title, string action)
    {
        await Page.GetByLabel($"Actions for {title}", new PageGetByLabelOptions { Exact = true }).ClickAsync();
        await Page.Locator("#conversation-menu").GetByText(action, new LocatorGetByTextOptions { Exact = true }).ClickAsync();
    }

    /// <summary>Sets a field of the sampling options.</summary>
    public async Task SetAsync(string label, string value)
    {
        ILocator field = Page.GetByLabel(label).And(Page.Locator("input, textarea"));
        await field.EvaluateAsync("field => { field.closest('details').open = true; }");
        await field.FillAsync(value);
        await field.DispatchEventAsync("change");
    }

    /// <summary>Keeps a picture with the test's results.</summary>
    public async Task PhotographAsync(string name)
    {
        string path = Path.Combine(Path.GetTempPath(), "moeoffload-page", $"{name}.png");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = path });
        TestContext.AddTestAttachment(path);
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Add(bool isComplaint, string text)
    {
        if (isComplaint)
        {
            lock (_complaints)
            {
                _complaints.Add(text);
            }
        }
    }
}

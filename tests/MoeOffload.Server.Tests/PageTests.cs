using Microsoft.Playwright;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Tests of the page, which share one browser and one server with two models.</summary>
public abstract class PageTests
{
    private protected const string Other = "other-moe";

    private protected static Browser Browser => PageResources.Browser;

    private protected static TestServer Server => PageResources.Server;

    [OneTimeSetUp]
    public Task StartAsync() => PageResources.StartAsync();

    /// <summary>Opens the page as a new user, with the demo model.</summary>
    private protected static async Task<OpenPage> OpenAsync(BrowserNewContextOptions? options = null)
    {
        OpenPage open = await Browser.OpenAsync(Server, options);
        await open.Page.Locator("#model").SelectOptionAsync(TestServer.Demo);
        return open;
    }
}

/// <summary>The browser and the server, which live until all tests have ended.</summary>
[SetUpFixture]
public sealed class PageResources
{
    private static readonly string s_folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private static Browser? s_browser;
    private static TestServer? s_server;

    internal static Browser Browser => s_browser!;

    internal static TestServer Server => s_server!;

    internal static async Task StartAsync()
    {
        if (s_server is not null)
        {
            return;
        }

        Directory.CreateDirectory(s_folder);
        File.Copy(DemoModel.Path, Path.Combine(s_folder, "other-moe.gguf"));
        File.Copy(DemoModel.Path, Path.Combine(s_folder, $"{TestServer.Demo}.gguf"));
        s_server = await TestServer.StartAsync(options => options.Models.Context = options.Models.Context with { CountExperts = true }, s_folder);
        s_browser = await Browser.StartAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (s_server is null)
        {
            return;
        }

        await Browser.DisposeAsync();
        await Server.DisposeAsync();
        Directory.Delete(s_folder, recursive: true);
    }
}

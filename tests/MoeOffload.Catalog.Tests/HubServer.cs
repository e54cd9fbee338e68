using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MoeOffload.Catalog.Tests;

/// <summary>A hub on loopback that speaks Hugging Face's interface, and misbehaves as a test wants.</summary>
internal sealed class HubServer : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    public const string Repository = "org/repo-GGUF";

    private readonly WebApplication _application;
    private readonly Dictionary<string, byte[]> _files = [];

    private HubServer(WebApplication application) => _application = application;

    public Uri Address { get; private set; } = null!;

    /// <summary>The file requests so far, in order.</summary>
    public List<FileRequest> Requests { get; } = [];

    /// <summary>The tokens that the list of files was asked with.</summary>
    public List<string?> ListTokens { get; } = [];

    /// <summary>Answers a request for a file; the default is a proper one.</summary>
    public Func<HttpContext, byte[], FileRequest, Task> Answer { get; set; } = ServeAsync;

    /// <summary>Where files are redirected to; null serves them directly.</summary>
    public Uri? Elsewhere { get; set; }

    /// <summary>False properties of a file in the list.</summary>
    public Func<JsonObject, JsonObject> Describe { get; set; } = entry => entry;

    /// <summary>The response to requests for the list of files, instead of the list.</summary>
    public Func<HttpContext, Task>? AnswerList { get; set; }

    public static async Task<HubServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication application = builder.Build();
        var server = new HubServer(application);
        application.MapGet("/api/models/{organization}/{name}/revision/{revision}", server.ListAsync);
        application.MapGet("/{organization}/{name}/resolve/{commit}/{**path}", server.FileAsync);
        await application.StartAsync();
        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        server.Address = new Uri(address);
        return server;
    }

    /// <summary>Adds a file with random content.</summary>
    public byte[] Add(string path, int bytes)
    {
        var content = new byte[bytes];
        new Random(path.Length + bytes).NextBytes(content);
        _files[path] = content;
        return content;
    }

    /// <summary>Serves a file like a content delivery network: the whole file or a range, with an entity tag.</summary>
    public static async Task ServeAsync(HttpContext context, byte[] content, FileRequest request)
    {
        context.Response.Headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"";
        if (request.From is { } from)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        byte[] part = content[(int)(request.From ?? 0)..];
        context.Response.ContentLength = part.Length;
        await context.Response.Body.WriteAsync(part);
    }

    /// <summary>Serves some of the requested bytes, and then breaks the connection.</summary>
    public static async Task BreakAfterAsync(HttpContext context, byte[] content, FileRequest request, int bytes)
    {
        int from = (int)(request.From ?? 0);
        if (from > 0)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - from;
        await context.Response.Body.WriteAsync(content.AsMemory(from, Math.Min(bytes, content.Length - from)));
        await context.Response.Body.FlushAsync();
        await Task.Delay(100); // a reset connection drops what the client has not read yet
        context.Abort();
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ListAsync(HttpContext context)
    {
        ListTokens.Add(context.Request.Headers.Authorization);
        if (AnswerList is not null)
        {
            await AnswerList(context);
            return;
        }

        JsonNode[] siblings = [.. _files.Select(file => Describe(new JsonObject
        {
            ["rfilename"] = file.Key,
            ["size"] = file.Value.Length,
            ["blobId"] = GitHash(file.Value),
            ["lfs"] = new JsonObject
            {
                ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(file.Value)),
                ["size"] = file.Value.Length,
                ["pointerSize"] = 130,
            },
        }))];
        await context.Response.WriteAsync(new JsonObject { ["sha"] = Commit, ["siblings"] = new JsonArray(siblings) }.ToJsonString());
    }

    private async Task FileAsync(HttpContext context)
    {
        string path = (string)context.Request.RouteValues["path"]!;
        long? from = context.Request.GetTypedHeaders().Range?.Ranges.Single().From;
        var request = new FileRequest(path, from, context.Request.Headers.IfRange, context.Request.Headers.Authorization, Requests.Count);
        lock (Requests)
        {
            Requests.Add(request);
        }

        if (Elsewhere is { } elsewhere)
        {
            context.Response.Redirect(new Uri(elsewhere, context.Request.Path.ToUriComponent()).AbsoluteUri);
            return;
        }

        await Answer(context, _files[path], request);
    }

    private static string GitHash(byte[] content)
    {
        byte[] header = System.Text.Encoding.ASCII.GetBytes($"blob {content.Length}\0");
#pragma warning disable CA5350 // git's own hash
        return Convert.ToHexStringLower(SHA1.HashData([.. header, .. content]));
#pragma warning restore CA5350
    }
}

/// <summary>A request for a file.</summary>
internal sealed record FileRequest(string Path, long? From, string? IfRange, string? Token, int Index);

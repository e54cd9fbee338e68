using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace MoeOffload.Server.Web;

/// <summary>Serves the web page at <c>/</c>, whose files are embedded in the assembly.</summary>
internal static class WebPage
{
    /// <summary>The path that contains the page's files.</summary>
    public const string Folder = "/web";

    private const string ResourcePrefix = "Web/Page/";
    private const string Index = "index.html";

    // Allows only the page's own files, no code in attributes, and no conversion of text to markup.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly string[] s_reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps the page and its files.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        Assembly assembly = typeof(WebPage).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            string name = resource[ResourcePrefix.Length..];
            byte[] content = Read(assembly, resource);
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"");
            endpoints.MapMethods(name == Index ? "/" : $"{Folder}/{name}", s_reading, http => SendAsync(http, name, content, tag));
        }
    }

    private static Task SendAsync(HttpContext http, string name, byte[] content, EntityTagHeaderValue tag)
    {
        IHeaderDictionary headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";

        // The browser revalidates each time, and downloads a file again only if it has changed.
        headers.CacheControl = "no-cache";
        return Results.Bytes(content, TypeOf(name), entityTag: tag).ExecuteAsync(http);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        string other => throw new InvalidOperationException($"The page has a file of the unknown type '{other}'."),
    };

    private static byte[] Read(Assembly assembly, string resource)
    {
        using Stream stream = assembly.GetManifestResourceStream(resource)!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}

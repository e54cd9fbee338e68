using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using MoeOffload.Server.Http;
using MoeOffload.Server.Models;
using MoeOffload.Server.Ollama;
using MoeOffload.Server.Routing;
using MoeOffload.Server.Web;

namespace MoeOffload.Server.Shimmy;

/// <summary>Maps the endpoints of shimmy's API, and <c>/api/generate</c>, which Ollama's API also has.</summary>
internal sealed class ShimmyEndpoints
{
    private static readonly string[] s_actions = ["load", "unload", "status"];

    private readonly FileFactsReader _files;

    private ShimmyEndpoints(FileFactsReader files) => _files = files;

    public static void Map(ApiRoutes routes, FileFactsReader files)
    {
        var endpoints = new ShimmyEndpoints(files);
        ErrorFormat errors = OllamaErrors.Format;
        routes.Post("/api/generate", errors, SharedGenerate.HandleAsync);
        ShimmySocket.Map(routes);
        routes.Get("/api/models", errors, endpoints.ListAsync);
        routes.Post("/api/models/discover", errors, endpoints.DiscoverAsync, ApiAccess.Look);

        // Names contain slashes, which ASP.NET Core matches only at the end of a pattern.
        routes.Get("/api/models/{**path}", errors, ReportAsync);
        routes.Post("/api/models/{**path}", errors, ChangeAsync);
        routes.Get("/diag", errors, DiagnoseAsync);
    }

    private static Task ReportAsync(ApiRequest request)
    {
        (string name, string action) = PathOf(request);
        if (action != "status")
        {
            throw NoSuchPath(request);
        }

        ModelStatus status = request.Models.GetStatus(request.FindModel(name));
        return request.WriteJsonAsync(ModelReporter.Report(status, request.Models.FindLoaded(status.Entry)), ShimmyJson.Default.ModelReport);
    }

    private static async Task ChangeAsync(ApiRequest request)
    {
        (string name, string action) = PathOf(request);
        switch (action)
        {
            case "load":
                string known = request.FindModel(name).Name;
                (await request.AcquireAsync(known).ConfigureAwait(false)).Dispose();
                await request.WriteJsonAsync(new LoadAnswer(known, "loaded", true, $"Model {known} is loaded."), ShimmyJson.Default.LoadAnswer).ConfigureAwait(false);
                break;
            case "unload":
                (string unloaded, bool was) = await request.UnloadAsync(name).ConfigureAwait(false);
                string message = was ? $"Model {unloaded} is unloaded." : $"Model {unloaded} was not loaded.";
                await request.WriteJsonAsync(new LoadAnswer(unloaded, "unloaded", false, message), ShimmyJson.Default.LoadAnswer).ConfigureAwait(false);
                break;
            default:
                throw NoSuchPath(request);
        }
    }

    // A slash in a name can be sent unescaped or as %2F, which ASP.NET Core does not decode in paths.
    private static (string Name, string Action) PathOf(ApiRequest request)
    {
        string path = (string)request.Http.GetRouteValue("path")!;
        int slash = path.LastIndexOf('/');
        string action = path[(slash + 1)..];
        return slash > 0 && s_actions.Contains(action)
            ? (path[..slash].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase), action)
            : throw NoSuchPath(request);
    }

    private static ApiException NoSuchPath(ApiRequest request) => new(
        404,
        "invalid_request_error",
        "not_found",
        $"The method {request.Http.Request.Method} is not supported for this path. Use GET …/{{name}}/status, POST …/{{name}}/load or POST …/{{name}}/unload.");

    private static Task DiagnoseAsync(ApiRequest request)
    {
        // All servers that were used are listed. If one cannot be reached, the others are still reported.
        DiagnosedDevice[] devices =
        [
            .. MoeModel.ListDevices(request.Models.Options.Load with { RpcServers = [] }).Select(device => new DiagnosedDevice(
                device.Name,
                device.Description,
                JsonNamingPolicy.SnakeCaseLower.ConvertName(device.Kind.ToString()),
                device.TotalBytes,
                device.FreeBytes)),
        ];
        return request.WriteJsonAsync(
            new Diagnosis(
                OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "macos" : "unknown",
                Environment.ProcessorCount,
                GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
                RuntimeInformation.OSDescription,
                RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
                RuntimeInformation.FrameworkDescription,
                typeof(ShimmyEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? string.Empty,
                devices),
            ShimmyJson.Default.Diagnosis);
    }

    private Task ListAsync(ApiRequest request) => request.WriteJsonAsync(new ListedModels(List(request)), ShimmyJson.Default.ListedModels);

    private Task DiscoverAsync(ApiRequest request)
    {
        request.Models.Catalog.Discover();
        ListedModel[] models = List(request);
        return request.WriteJsonAsync(new ListedModels(models, models.Length), ShimmyJson.Default.ListedModels);
    }

    private ListedModel[] List(ApiRequest request) =>
    [
        .. request.Models.List().Select(status =>
        {
            FileFacts facts = _files.Read(status.Entry);
            return new ListedModel(
                status.Entry.Name,
                status.Entry.Bytes,
                facts.Architecture,
                facts.ParameterSize,
                JsonNamingPolicy.SnakeCaseLower.ConvertName(status.Entry.Source.ToString()),
                status.State == ModelState.Loaded);
        }),
    ];
}

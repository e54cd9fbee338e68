using System.Data.Common;
using MoeOffload.Shared;

namespace MoeOffload.Aspire;

/// <summary>
/// Provides the settings of a chat client. They are read from the sections <c>Aspire:MoeOffload</c> and <c>Aspire:MoeOffload:NAME</c> of the configuration, then
/// from the connection string, then from the delegate of the application.
/// </summary>
public sealed class MoeOffloadClientSettings
{
    /// <summary>Gets or sets the base URL of the server, with or without <c>/v1</c>.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>Gets or sets the model that requests name.</summary>
    public string? Model { get; set; }

    /// <summary>Gets or sets the API key, or <see langword="null"/> if the server requires none.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Gets or sets how long to wait for the network: for the whole answer, or for each part of a stream. The default is 10 minutes, because a
    /// request can wait until a model is loaded.
    /// </summary>
    public TimeSpan NetworkTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Gets or sets a value indicating whether no health check is registered.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Gets or sets a value indicating whether no traces are exported.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Gets or sets a value indicating whether no metrics are exported.</summary>
    public bool DisableMetrics { get; set; }

    /// <summary>
    /// Gets or sets whether traces contain prompts and answers. If it is <see langword="null"/>, the environment variable
    /// <c>OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT</c> decides.
    /// </summary>
    public bool? EnableSensitiveTelemetryData { get; set; }

    /// <summary>Reads a connection string: <c>Endpoint=...;Model=...;Key=...</c>, or only the endpoint.</summary>
    /// <param name="text">The connection string.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="InvalidOperationException">The text is not a connection string.</exception>
    internal void Read(string text, string name)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? endpoint) && IsHttp(endpoint))
        {
            Endpoint = endpoint;
            return;
        }

        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = text;
        }
        catch (ArgumentException error)
        {
            throw new InvalidOperationException($"The connection string '{name}' is not valid: {Expected}", error);
        }

        Endpoint = Value(nameof(Endpoint)) is { } address
            ? Uri.TryCreate(address, UriKind.Absolute, out endpoint) && IsHttp(endpoint)
                ? endpoint
                : throw new InvalidOperationException($"The endpoint '{address}' of the connection string '{name}' is not valid: {Expected}")
            : Endpoint;
        Model = Value(nameof(Model)) ?? Model;
        Key = Value(nameof(Key)) ?? Key;

        string? Value(string key) => parts.TryGetValue(key, out object? value) && value.ToString() is { Length: > 0 } found ? found : null;
    }

    /// <summary>Checks that requests can be sent.</summary>
    /// <param name="name">The name of the connection.</param>
    /// <returns>The base URL for OpenAI's client, and the model.</returns>
    /// <exception cref="InvalidOperationException">A setting is missing or not valid.</exception>
    internal (Uri BaseUrl, string Model) Require(string name)
    {
        if (Endpoint is null || !Endpoint.IsAbsoluteUri || !IsHttp(Endpoint))
        {
            throw new InvalidOperationException(
                $"The client of MoeOffload has no endpoint: set ConnectionStrings:{name} to {Expected} or set Aspire:MoeOffload:{name}:Endpoint.");
        }

        if (string.IsNullOrWhiteSpace(Model))
        {
            throw new InvalidOperationException(
                $"The client of MoeOffload has no model: add WithModel to the server, or Model to ConnectionStrings:{name}, or set Aspire:MoeOffload:{name}:Model.");
        }

        return NetworkTimeout > TimeSpan.Zero || NetworkTimeout == Timeout.InfiniteTimeSpan
            ? (ServerAddress.WithVersion(Endpoint), Model)
            : throw new InvalidOperationException($"Aspire:MoeOffload:{name}:NetworkTimeout is {NetworkTimeout}, but must be positive.");
    }

    private const string Expected = "Endpoint=http://HOST:PORT/v1;Model=NAME;Key=KEY, where Key can be left out,";

    private static bool IsHttp(Uri uri) => uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps;
}

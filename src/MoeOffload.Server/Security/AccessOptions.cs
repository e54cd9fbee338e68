namespace MoeOffload.Server;

/// <summary>Represents who may use the server.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// Gets or sets the keys. Each request must carry one, as <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>; health checks and
    /// the page's files need none. The default is none: no key is asked for.
    /// </summary>
    public IReadOnlyList<string> ApiKeys { get; set; } = [];

    /// <summary>
    /// Gets or sets whether other machines may use a server without keys that listens on more than loopback. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool AllowRemoteWithoutKey { get; set; }

    /// <summary>
    /// Gets or sets the origins of web pages elsewhere that may use the server, such as <c>https://example.org</c>; <c>*</c> allows all.
    /// The default is none: only the server's own page may.
    /// </summary>
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    internal void Validate(OptionFaults faults, string name)
    {
        if (faults.Require(ApiKeys, $"{name}.{nameof(ApiKeys)}") && ApiKeys.Any(string.IsNullOrWhiteSpace))
        {
            faults.Add($"{name}.{nameof(ApiKeys)} has an empty key: give it a text, or remove it.");
        }

        if (faults.Require(CorsOrigins, $"{name}.{nameof(CorsOrigins)}"))
        {
            foreach (string origin in CorsOrigins.Where(origin => !IsOrigin(origin)))
            {
                faults.Add(
                    $"{name}.{nameof(CorsOrigins)} has '{origin}': an origin is a scheme, a host and optionally a port, such as https://example.org, and nothing after them.");
            }
        }
    }

    private static bool IsOrigin(string origin) =>
        origin == "*" || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.GetLeftPart(UriPartial.Authority) == origin);
}

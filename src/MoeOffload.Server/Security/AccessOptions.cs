using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>Represents the options that determine who may use the server.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// Gets or sets the API keys. Each request must have one of them, as <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>, except for
    /// health checks and the files of the web page. The default is an empty list: no key is required.
    /// </summary>
    public IReadOnlyList<string> ApiKeys { get; set; } = [];

    /// <summary>
    /// Gets or sets a value that indicates whether other machines may use the server if it has no API keys. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool AllowRemoteWithoutKey { get; set; }

    /// <summary>
    /// Gets or sets the origins of other web pages that may use the server, such as <c>https://example.org</c>, or <c>*</c> for all origins.
    /// The default is an empty list: only the server's own page, other pages of this machine, and desktop applications may use it.
    /// </summary>
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    internal void Validate(OptionFaults faults, string name)
    {
        if (faults.Require(ApiKeys, $"{name}.{nameof(ApiKeys)}") && ApiKeys.Any(string.IsNullOrWhiteSpace))
        {
            faults.Add($"{name}.{nameof(ApiKeys)} has an empty key. Set a value, or remove it.");
        }

        if (faults.Require(CorsOrigins, $"{name}.{nameof(CorsOrigins)}"))
        {
            foreach (string origin in CorsOrigins.Where(origin => !IsOrigin(origin)))
            {
                faults.Add(
                    $"{name}.{nameof(CorsOrigins)} has '{origin}', which is not a valid origin. An origin consists of a scheme, a host and optionally a port, such as https://example.org.");
            }
        }
    }

    private static bool IsOrigin(string origin) =>
        origin == "*" || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.GetLeftPart(UriPartial.Authority) == origin);
}

namespace MoeOffload.Shared;

/// <summary>Converts between the address of a server and the base URL of OpenAI's clients.</summary>
internal static class ServerAddress
{
    private const string Version = "/v1";

    /// <summary>Gets the address of a server, without a slash at its end.</summary>
    /// <param name="endpoint">The address, with or without <c>/v1</c>.</param>
    public static string WithoutVersion(Uri endpoint)
    {
        string address = endpoint.AbsoluteUri.TrimEnd('/');
        return address.EndsWith(Version, StringComparison.Ordinal) ? address[..^Version.Length] : address;
    }

    /// <summary>Gets the base URL of OpenAI's clients.</summary>
    /// <inheritdoc cref="WithoutVersion" path="/param"/>
    public static Uri WithVersion(Uri endpoint) => new(WithoutVersion(endpoint) + Version);
}

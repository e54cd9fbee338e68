namespace System.Net.Http;

/// <summary>Specifies why a request failed, like the enumeration of .NET 8: the members that this library needs.</summary>
internal enum HttpRequestError
{
    Unknown,
    NameResolutionError,
}

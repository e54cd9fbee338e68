using Aspire.Hosting.ApplicationModel;

namespace MoeOffload.Aspire.Hosting;

/// <summary>Makes the connection strings of servers.</summary>
internal static class ServerConnection
{
    public const string EndpointName = "http";

    /// <summary>Gets the name by which requests name the model, or <see langword="null"/> if none is loaded at start.</summary>
    public static string? ModelName(IMoeOffloadResource resource) => resource.Model is null ? null : resource.Name;

    /// <summary>Gets the base URL for OpenAI's clients.</summary>
    public static ReferenceExpression BaseUrl(IMoeOffloadResource resource) => ReferenceExpression.Create($"{resource.PrimaryEndpoint.Property(EndpointProperty.Url)}/v1");

    public static ReferenceExpression Describe(IMoeOffloadResource resource)
    {
        var builder = new ReferenceExpressionBuilder();
        builder.Append($"Endpoint={resource.PrimaryEndpoint.Property(EndpointProperty.Url)}/v1");
        if (ModelName(resource) is { } model)
        {
            builder.AppendLiteral($";Model={model}");
        }

        if (resource.ApiKey is { } key)
        {
            builder.Append($";Key={key}");
        }

        return builder.Build();
    }

    public static IEnumerable<KeyValuePair<string, ReferenceExpression>> List(IMoeOffloadResource resource)
    {
        yield return new("Uri", BaseUrl(resource));
        if (ModelName(resource) is { } model)
        {
            yield return new("ModelName", ReferenceExpression.Create($"{model}"));
        }

        if (resource.ApiKey is { } key)
        {
            yield return new("Key", ReferenceExpression.Create($"{key}"));
        }
    }
}

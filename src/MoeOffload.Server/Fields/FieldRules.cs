using MoeOffload.Server.Http;

namespace MoeOffload.Server.Fields;

/// <summary>
/// Represents the fields of an endpoint's requests that the server does not implement: those that are accepted because no answer depends on
/// them, and those that are rejected because the answer would differ from what was requested. All others are read, or unknown.
/// </summary>
/// <param name="Endpoint">The endpoint, or the object within its requests.</param>
/// <param name="Accepted">The names of the fields that are accepted without an effect.</param>
/// <param name="Rejected">The fields that are rejected, each with what to do instead. A value that requests nothing, such as false, is accepted.</param>
internal sealed record FieldRules(string Endpoint, IReadOnlyList<string> Accepted, IReadOnlyDictionary<string, string> Rejected)
{
    /// <summary>Applies the rules to the fields of a request.</summary>
    /// <exception cref="ApiException">The request has a field that is rejected.</exception>
    public void Apply(JsonFields fields)
    {
        fields.Ignore(Accepted);
        foreach ((string name, string remedy) in Rejected)
        {
            fields.Refuse(name, remedy);
        }
    }
}

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A function. <see cref="Deprecation"/> is the message of its deprecation, null where it has none.</summary>
internal sealed record CFunction(
    string Name,
    CType Result,
    IReadOnlyList<CParameter> Parameters,
    bool IsVariadic,
    bool IsInline,
    string? Deprecation,
    CDoc Doc)
{
    /// <summary>The function's C prototype.</summary>
    public string Prototype
    {
        get
        {
            IEnumerable<string> parameters = Parameters.Select(p => p.Type.Declare(p.Name));
            if (IsVariadic)
            {
                parameters = parameters.Append("...");
            }

            string list = Parameters.Count == 0 && !IsVariadic ? "void" : string.Join(", ", parameters);
            return Result.Declare($"{Name}({list})");
        }
    }
}

using System.Text.Json.Serialization;

namespace MoeOffload.Bindings.Generator;

/// <summary>A header and what is made from it.</summary>
/// <param name="File">The header's name, as it is included.</param>
/// <param name="Name">The prefix of what is written: <c>NAMEApi</c> for the functions, <c>NAMETypes.g.cs</c> for the types.</param>
/// <param name="Library">
/// The library that exports the functions, as <c>DllImport</c> names it. Without one no function is written, and of the
/// types only those that other headers need.
/// </param>
/// <param name="Exceptions">Functions that another library exports, by that library.</param>
internal sealed record BoundHeader(
    [property: JsonRequired] string File,
    [property: JsonRequired] string Name,
    string? Library = null,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Exceptions = null)
{
    public string ClassName => Name + "Api";

    public string LibraryOf(string function)
        => Exceptions?.FirstOrDefault(e => e.Value.Contains(function)).Key ?? Library!;
}

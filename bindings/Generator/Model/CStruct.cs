namespace MoeOffload.Bindings.Generator.Model;

/// <summary>
/// A struct or union. Sizes are in bytes; an opaque one (declared, not defined) has neither fields nor size.
/// The name is empty for one that is declared inside another without a tag.
/// </summary>
internal sealed record CStruct(
    string Name,
    bool IsUnion,
    bool IsOpaque,
    long Size,
    long Alignment,
    IReadOnlyList<CField> Fields,
    CDoc Doc)
{
    /// <summary>Whether C knows it by a typedef only, without a tag.</summary>
    public bool IsTagless { get; init; }
}

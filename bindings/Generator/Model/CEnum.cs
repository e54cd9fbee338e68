namespace MoeOffload.Bindings.Generator.Model;

/// <summary>An enum; the name is empty where the header gives none.</summary>
internal sealed record CEnum(string Name, IReadOnlyList<CEnumMember> Members, CDoc Doc)
{
    /// <summary>Whether C knows it by a typedef only, without a tag.</summary>
    public bool IsTagless { get; init; }
}

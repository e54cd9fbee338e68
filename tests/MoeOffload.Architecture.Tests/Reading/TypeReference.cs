namespace MoeOffload.Architecture.Tests.Reading;

/// <summary>Represents one use of a type by a member of another type.</summary>
/// <param name="FromFolder">The source folder of the type that refers, below its project; empty for the project's root.</param>
/// <param name="FromType">The type that refers.</param>
/// <param name="Member">The member that refers.</param>
/// <param name="ToFolder">The source folder of the type that is referred to.</param>
/// <param name="ToType">The type that is referred to.</param>
internal sealed record TypeReference(string FromFolder, string FromType, string Member, string ToFolder, string ToType)
{
    /// <inheritdoc/>
    public override string ToString() => $"{FromType}.{Member} -> {ToType}";
}

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>What one header declares, each kind in the order of the header.</summary>
internal sealed record CHeader(
    string File,
    IReadOnlyList<CFunction> Functions,
    IReadOnlyList<CStruct> Structs,
    IReadOnlyList<CEnum> Enums,
    IReadOnlyList<CTypedef> Typedefs,
    IReadOnlyList<CConstant> Constants);

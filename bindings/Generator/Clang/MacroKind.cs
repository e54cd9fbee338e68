namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>What a macro's expression evaluates to.</summary>
internal enum MacroKind
{
    Other,
    Integer,
    Floating,
    Text,
}

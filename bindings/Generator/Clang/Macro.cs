namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>A macro that is a constant.</summary>
internal sealed record Macro(string File, string Name, MacroKind Kind);

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>A place in a file, as clang's AST states it; offsets are in bytes, lines and columns count from 1.</summary>
internal readonly record struct ClangLocation(string File, int Offset, int Line, int Column, int TokenLength, bool IsMacroArgument)
{
    /// <summary>The place of what clang made up itself.</summary>
    public static ClangLocation None { get; } = new("", 0, 0, 0, 0, false);
}

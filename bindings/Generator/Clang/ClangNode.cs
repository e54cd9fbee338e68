namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>One node of clang's AST: the properties that declarations need.</summary>
internal sealed class ClangNode
{
    public string Kind { get; set; } = "";
    public string Name { get; set; } = "";
    public string Type { get; set; } = "";
    public string DesugaredType { get; set; } = "";
    public string Tag { get; set; } = "";
    public string StorageClass { get; set; } = "";
    public string Value { get; set; } = "";
    public string Message { get; set; } = "";
    public string Operator { get; set; } = "";
    public bool IsComplete { get; set; }
    public bool IsImplicit { get; set; }
    public bool IsVariadic { get; set; }
    public bool IsInline { get; set; }
    public bool IsBitField { get; set; }

    /// <summary>Where the node's name stands, after macro expansion.</summary>
    public ClangLocation Location { get; set; } = ClangLocation.None;

    /// <summary>Where the node's name is spelled, which inside a macro's argument is the argument.</summary>
    public ClangLocation Spelling { get; set; } = ClangLocation.None;

    public ClangLocation Begin { get; set; } = ClangLocation.None;
    public ClangLocation End { get; set; } = ClangLocation.None;
    public List<ClangNode> Children { get; } = [];

    public IEnumerable<ClangNode> ChildrenOf(string kind) => Children.Where(c => c.Kind == kind);

    /// <summary>The value that clang evaluated for an enum's member or a bit field's width; null where none is written.</summary>
    public string? Constant
        => Children.Find(c => c.Kind is "ConstantExpr" or "ImplicitCastExpr") is not { } expression ? null
            : expression.Kind == "ConstantExpr" ? expression.Value : expression.Constant;
}

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A macro or a static constant, evaluated.</summary>
/// <param name="Name">The C name.</param>
/// <param name="Type">The C type of the expression; <c>char</c> pointer for a text.</param>
/// <param name="Value">An <see cref="Int128"/>, a <see cref="double"/> or a <see cref="string"/>.</param>
/// <param name="Doc">The header's comment.</param>
internal sealed record CConstant(string Name, CType Type, object Value, CDoc Doc)
{
    /// <summary>Whether C takes it as a constant expression: a macro or an enum's member, but not a static constant.</summary>
    public bool IsConstantExpression { get; init; }
}

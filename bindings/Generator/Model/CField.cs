namespace MoeOffload.Bindings.Generator.Model;

/// <summary>
/// A field of a struct or union. The name is empty for an anonymous struct or union, whose members C sees as the outer one's.
/// </summary>
/// <param name="Name">The C name.</param>
/// <param name="Type">The C type.</param>
/// <param name="BitOffset">Distance from the start of the struct, in bits.</param>
/// <param name="BitWidth">Width in bits of a bit field; null for any other field.</param>
/// <param name="Doc">The header's comment.</param>
internal sealed record CField(string Name, CType Type, long BitOffset, int? BitWidth, CDoc Doc)
{
    /// <summary>Distance from the start of the struct, in bytes.</summary>
    public long Offset => BitOffset / 8;
}

using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>A field as C and as C# reach it from the outermost struct, and its distance from that struct's start in bytes.</summary>
internal sealed record FieldPath(string C, string CSharp, CType Type, long Offset)
{
    /// <summary>The fields of a record in order, those of structs and unions without a tag included.</summary>
    public static IEnumerable<FieldPath> Of(CStruct record)
    {
        foreach (CField field in record.Fields)
        {
            string csharp = CSharpNames.Field(field.Name);
            if (field.Name.Length > 0)
            {
                yield return new FieldPath(field.Name, csharp, field.Type, field.Offset);
            }

            if (field.Type is CType.InlineRecord inline)
            {
                string prefix = field.Name.Length == 0 ? "" : field.Name + ".";
                foreach (FieldPath path in Of(inline.Definition))
                {
                    yield return new FieldPath(prefix + path.C, $"{csharp}.{path.CSharp}", path.Type, field.Offset + path.Offset);
                }
            }
        }
    }
}

using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>Writes structs, unions and enums.</summary>
internal sealed class StructEmitter(TypeTable types)
{
    /// <summary>The C# type under an enum: <c>int</c>, as C compilers choose where the values fit.</summary>
    public static string Underlying(CEnum item)
        => item.Members.Max(m => m.Value) <= int.MaxValue && item.Members.Min(m => m.Value) >= int.MinValue ? "int"
            : item.Members.Min(m => m.Value) >= 0 && item.Members.Max(m => m.Value) <= uint.MaxValue ? "uint"
            : "long";

    public static void Write(CodeWriter code, CEnum item)
    {
        XmlDoc.Write(code, item.Doc);
        string underlying = Underlying(item);
        code.Open($"internal enum {item.Name}{(underlying == "int" ? "" : " : " + underlying)}");
        foreach (CEnumMember member in item.Members)
        {
            XmlDoc.Write(code, member.Doc);
            code.Line($"{member.Name} = {member.Value},");
        }

        code.Close();
    }

    public void Write(CodeWriter code, CStruct record) => Write(code, record, record.Name, "internal");

    private void Write(CodeWriter code, CStruct record, string name, string visibility)
    {
        XmlDoc.Write(code, record.Doc);
        if (record.IsOpaque)
        {
            code.Line($"{visibility} struct {name};");
            return;
        }

        if (record.IsUnion)
        {
            code.Line("[StructLayout(LayoutKind.Explicit)]");
        }

        code.Open($"{visibility} unsafe struct {name}");
        var nested = new List<Action>();
        foreach (CField field in record.Fields)
        {
            if (field.BitWidth is not null)
            {
                throw new GeneratorException($"{name}.{field.Name} is a bit field, which C# structs do not have.");
            }

            XmlDoc.Write(code, WithCallback(field));
            if (record.IsUnion)
            {
                code.Line("[FieldOffset(0)]");
            }

            WriteField(code, field, nested);
        }

        foreach (Action write in nested)
        {
            code.Line();
            write();
        }

        code.Close();
    }

    private CDoc WithCallback(CField field)
        => types.Callback(field.Type) is CTypedef { Doc.IsEmpty: false } callback && field.Doc.IsEmpty ? callback.Doc : field.Doc;

    private void WriteField(CodeWriter code, CField field, List<Action> nested)
    {
        string name = CSharpNames.Field(field.Name);
        switch (types.Resolve(field.Type))
        {
            case CType.InlineRecord inline:
                string inner = $"{name}_{(inline.Definition.IsUnion ? "union" : "struct")}";
                code.Line($"public {inner} {name};");
                nested.Add(() => Write(code, inline.Definition, inner, "public"));
                break;
            case CType.Array array:
                WriteArray(code, array, name, nested);
                break;
            default:
                code.Line($"public {types.Map(field.Type)} {name};");
                break;
        }
    }

    private void WriteArray(CodeWriter code, CType.Array array, string name, List<Action> nested)
    {
        (CType element, long length) = types.Flatten(array);
        string type = types.Map(element);
        if (types.IsFixedBuffer(array))
        {
            code.Line($"public fixed {type} {name}[{length}];");
            return;
        }

        code.Line($"public {name}_array {name};");
        nested.Add(() => WriteArrayType(code, type, name, (int)length));
    }

    private static void WriteArrayType(CodeWriter code, string type, string name, int length)
    {
        // A fixed buffer holds neither pointers nor structs nor native integers, and an inline array needs .NET 8.
        code.Open($"public struct {name}_array");
        code.Line($"private {type} {string.Join(", ", Enumerable.Range(0, length).Select(i => $"_e{i}"))};");
        code.Line();
        code.Line($"/// <summary>The element at an index from 0 to {length - 1}, unchecked; the struct must not move meanwhile.</summary>");
        code.Line($"public ref {type} this[int index] => ref (({type}*)Unsafe.AsPointer(ref this))[index];");
        code.Close();
    }
}

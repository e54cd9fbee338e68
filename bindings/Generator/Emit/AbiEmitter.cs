using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>Writes C that compiles only where the headers still say what the bindings were made from.</summary>
internal static class AbiEmitter
{
    public const string FileName = "abi_checks.c";

    public static string Emit(BindingSet bindings)
    {
        var code = new CodeWriter();
        code.Line("// Made by bindings/Generator. Do not edit: run it again.");
        code.Line("// Compiles only where every struct, enum and constant is what the C# bindings were made from. Pointers have 64 bits.");
        foreach ((BoundHeader bound, _) in bindings.Headers)
        {
            code.Line($"#include \"{bound.File}\"");
        }

        code.Line();
        code.Line("#include <stddef.h>");
        code.Line();
        code.Line("#define ABI_LAYOUT(type, size, alignment) \\");
        code.Line("    _Static_assert(sizeof(type) == (size) && _Alignof(type) == (alignment), \"size or alignment of \" #type)");
        code.Line("#define ABI_OFFSET(type, field, offset) _Static_assert(offsetof(type, field) == (offset), \"offset of \" #type \".\" #field)");
        code.Line("#define ABI_VALUE(name, value) _Static_assert((name) == (value), \"value of \" #name)");
        foreach ((BoundHeader bound, CHeader header) in bindings.Headers)
        {
            string[] lines = [.. Lines(bindings, bound, header)];
            if (lines.Length > 0)
            {
                code.Line();
                code.Line($"// {bound.File}");
                Array.ForEach(lines, code.Line);
            }
        }

        return code.ToString();
    }

    private static IEnumerable<string> Lines(BindingSet bindings, BoundHeader bound, CHeader header)
    {
        foreach (CEnum item in bindings.EnumsOf(header))
        {
            int size = StructEmitter.Underlying(item) == "long" ? 8 : 4;
            yield return $"ABI_LAYOUT({(item.IsTagless ? "" : "enum ")}{item.Name}, {size}, {size});";
            foreach (CEnumMember member in item.Members)
            {
                yield return Value(member.Name, member.Value);
            }
        }

        if (bound.Library is not null)
        {
            foreach (CConstant constant in BindingSet.ConstantsOf(header).Where(c => c is { IsConstantExpression: true, Value: Int128 }))
            {
                yield return Value(constant.Name, (Int128)constant.Value);
            }
        }

        foreach (CStruct record in bindings.StructsOf(header).Where(s => !s.IsOpaque))
        {
            string type = (record.IsTagless ? "" : record.IsUnion ? "union " : "struct ") + record.Name;
            yield return $"ABI_LAYOUT({type}, {record.Size}, {record.Alignment});";
            foreach (FieldPath field in FieldPath.Of(record))
            {
                yield return $"ABI_OFFSET({type}, {field.C}, {field.Offset});";
            }
        }
    }

    private static string Value(string name, Int128 value) => $"ABI_VALUE({name}, {value});";
}

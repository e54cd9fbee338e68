using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>The types of all headers by name, and how each C type is written in C#: blittable, always.</summary>
internal sealed class TypeTable
{
    private static readonly Dictionary<string, string> s_primitives = new()
    {
        ["void"] = "void",
        ["_Bool"] = "byte",
        ["char"] = "byte",
        ["signed char"] = "sbyte",
        ["unsigned char"] = "byte",
        ["short"] = "short",
        ["unsigned short"] = "ushort",
        ["int"] = "int",
        ["unsigned int"] = "uint",
        ["long"] = "CLong",
        ["unsigned long"] = "CULong",
        ["long long"] = "long",
        ["unsigned long long"] = "ulong",
        ["float"] = "float",
        ["double"] = "double",
    };

    private static readonly Dictionary<string, string> s_standardTypedefs = new()
    {
        ["int8_t"] = "sbyte",
        ["int16_t"] = "short",
        ["int32_t"] = "int",
        ["int64_t"] = "long",
        ["uint8_t"] = "byte",
        ["uint16_t"] = "ushort",
        ["uint32_t"] = "uint",
        ["uint64_t"] = "ulong",
        ["size_t"] = "nuint",
        ["ssize_t"] = "nint",
        ["ptrdiff_t"] = "nint",
        ["intptr_t"] = "nint",
        ["uintptr_t"] = "nuint",
    };

    private static readonly HashSet<string> s_fixedBufferTypes =
        ["byte", "sbyte", "short", "ushort", "int", "uint", "long", "ulong", "float", "double"];

    private readonly Dictionary<string, CTypedef> _typedefs = [];
    private readonly Dictionary<string, CStruct> _records = [];
    private readonly Dictionary<string, CEnum> _enums = [];

    public TypeTable(IEnumerable<CHeader> headers)
    {
        foreach (CHeader header in headers)
        {
            foreach (CTypedef typedef in header.Typedefs)
            {
                _typedefs.TryAdd(typedef.Name, typedef);
            }

            foreach (CEnum item in header.Enums.Where(e => e.Name.Length > 0))
            {
                _enums.TryAdd(item.Name, item);
            }

            foreach (CStruct record in header.Structs)
            {
                if (!_records.TryGetValue(record.Name, out CStruct? known) || known.IsOpaque && !record.IsOpaque)
                {
                    _records[record.Name] = record;
                }
            }
        }
    }

    /// <summary>Whether this declaration of a record is the one to write: its definition, or the first where it has none.</summary>
    public bool IsCanonical(CStruct record) => ReferenceEquals(_records[record.Name], record);

    /// <summary>The type behind a chain of typedefs; a typedef of the system's headers stays as it is.</summary>
    public CType Resolve(CType type) => type switch
    {
        CType.Typedef { Name: var name } when s_standardTypedefs.ContainsKey(name) => type,
        CType.Typedef { Name: var name } when _typedefs.TryGetValue(name, out CTypedef? typedef) => Resolve(typedef.Target),
        CType.Typedef { Name: var name } when _records.TryGetValue(name, out CStruct? record) => new CType.Record(name, record.IsUnion),
        CType.Typedef { Name: var name } when _enums.ContainsKey(name) => new CType.Enum(name),
        _ => type,
    };

    /// <summary>The typedef that names a callback; null for any other type.</summary>
    public CTypedef? Callback(CType type)
        => type is CType.Typedef { Name: var name } && Resolve(type) is CType.Pointer { Target: CType.Function }
            ? _typedefs.GetValueOrDefault(name)
            : null;

    /// <summary>The C# spelling of a C type.</summary>
    /// <exception cref="GeneratorException">C# has no blittable type for it.</exception>
    public string Map(CType type) => Resolve(type) switch
    {
        CType.Primitive { Name: var name } when s_primitives.TryGetValue(name, out string? mapped) => mapped,
        CType.Typedef { Name: var name } when s_standardTypedefs.TryGetValue(name, out string? mapped) => mapped,
        CType.Record { Name: var name } when _records.ContainsKey(name) => name,
        CType.Enum { Name: var name } when _enums.ContainsKey(name) => name,
        CType.Pointer pointer => MapPointer(Resolve(pointer.Target)),
        _ => throw new GeneratorException($"The C type '{type}' has no blittable counterpart in C#."),
    };

    /// <summary>The element type and the length of an array, whose dimensions C# has as one.</summary>
    public (CType Element, long Length) Flatten(CType.Array array)
    {
        CType element = Resolve(array.Element);
        if (element is not CType.Array inner)
        {
            return (element, array.Length);
        }

        (CType innermost, long length) = Flatten(inner);
        return (innermost, length * array.Length);
    }

    /// <summary>Whether a field of this type is a <c>fixed</c> buffer, which C# sees as a pointer to its first element.</summary>
    public bool IsFixedBuffer(CType type)
        => Resolve(type) is CType.Array array && Flatten(array).Element is not CType.InlineRecord and var element
            && s_fixedBufferTypes.Contains(Map(element));

    /// <summary>Calls back with every type that a C type names, through typedefs.</summary>
    public void Visit(CType type, Action<CStruct> record, Action<CEnum> item)
    {
        switch (Resolve(type))
        {
            case CType.Record { Name: var name } when _records.TryGetValue(name, out CStruct? known):
                record(known);
                break;
            case CType.Enum { Name: var name } when _enums.TryGetValue(name, out CEnum? known):
                item(known);
                break;
            case CType.InlineRecord inline:
                record(inline.Definition);
                break;
            case CType.Pointer pointer:
                Visit(pointer.Target, record, item);
                break;
            case CType.Array array:
                Visit(array.Element, record, item);
                break;
            case CType.Function function:
                foreach (CType part in function.Parameters.Prepend(function.Result))
                {
                    Visit(part, record, item);
                }

                break;
        }
    }

    private string MapPointer(CType target) => target switch
    {
        CType.Function { IsVariadic: true } => "void*",
        CType.Function function =>
            $"delegate* unmanaged[Cdecl]<{string.Join(", ", function.Parameters.Append(function.Result).Select(Map))}>",
        CType.Array array => Map(array.Element) + "*",
        // A type of the system's headers, FILE say, is passed through unseen.
        CType.Typedef { Name: var name } when !s_standardTypedefs.ContainsKey(name) => "void*",
        CType.Record { Name: var name } when !_records.ContainsKey(name) => "void*",
        _ => Map(target) + "*",
    };
}

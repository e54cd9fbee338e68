using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>What is to be written: all of a header with a library, and of the others only the types that those need.</summary>
internal sealed class BindingSet
{
    private readonly HashSet<CStruct> _records = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<CEnum> _enums = new(ReferenceEqualityComparer.Instance);

    public BindingSet(BindingsConfig config, IReadOnlyList<CHeader> headers)
    {
        Namespace = config.Namespace;
        Headers = [.. config.Headers.Zip(headers)];
        Types = new TypeTable(headers);
        foreach ((_, CHeader header) in Headers.Where(h => h.Bound.Library is not null))
        {
            Add(header);
        }
    }

    public string Namespace { get; }

    public IReadOnlyList<(BoundHeader Bound, CHeader Header)> Headers { get; }

    public TypeTable Types { get; }

    /// <summary>Why a function has no C# signature; null where it has one.</summary>
    public static string? WhyLeftOut(CFunction function)
        => function.IsVariadic ? "variadic"
            : function.IsInline ? "inline, so that no library exports it"
            : function.Parameters.Any(p => p.Type is CType.Typedef { Name: "va_list" or "__builtin_va_list" }) ? "takes a va_list"
            : null;

    public IEnumerable<CStruct> StructsOf(CHeader header) => header.Structs.Where(_records.Contains);

    public IEnumerable<CEnum> EnumsOf(CHeader header) => header.Enums.Where(_enums.Contains);

    /// <summary>A header's constants: macros, static constants and the members of enums without a name.</summary>
    public static IEnumerable<CConstant> ConstantsOf(CHeader header)
        => header.Constants.Concat(header.Enums.Where(e => e.Name.Length == 0).SelectMany(e => e.Members)
            .Select(m => new CConstant(m.Name, new CType.Primitive("int"), (Int128)m.Value, m.Doc) { IsConstantExpression = true }));

    private void Add(CHeader header)
    {
        foreach (CStruct record in header.Structs.Where(Types.IsCanonical))
        {
            Add(record);
        }

        foreach (CEnum item in header.Enums.Where(e => e.Name.Length > 0))
        {
            _enums.Add(item);
        }

        foreach (CFunction function in header.Functions.Where(f => WhyLeftOut(f) is null))
        {
            Add(function.Result);
            foreach (CParameter parameter in function.Parameters)
            {
                Add(parameter.Type);
            }
        }
    }

    private void Add(CType type) => Types.Visit(type, Add, e => _enums.Add(e));

    private void Add(CStruct record)
    {
        if (!_records.Add(record))
        {
            return;
        }

        foreach (CField field in record.Fields)
        {
            Add(field.Type);
        }
    }
}

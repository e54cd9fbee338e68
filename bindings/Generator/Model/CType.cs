using System.Globalization;

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A C type. Its <see cref="object.ToString"/> is C again, for an abstract declarator.</summary>
internal abstract record CType
{
    /// <summary>Whether the type is qualified <c>const</c>.</summary>
    public bool IsConst { get; init; }

    /// <summary>The C spelling with a declarator (a name, or nothing) in its place.</summary>
    public abstract string Declare(string declarator);

    public sealed override string ToString() => Declare("");

    private protected string Prefix => IsConst ? "const " : "";

    private protected static string Join(string specifier, string declarator)
        => declarator.Length == 0 ? specifier : specifier + " " + declarator;

    /// <summary>A built-in type by its canonical C name: <c>void</c>, <c>_Bool</c>, <c>unsigned int</c>, …</summary>
    public sealed record Primitive(string Name) : CType
    {
        public override string Declare(string declarator) => Join(Prefix + (Name == "_Bool" ? "bool" : Name), declarator);
    }

    /// <summary>A name introduced by a typedef, in these headers or in the system's.</summary>
    public sealed record Typedef(string Name) : CType
    {
        public override string Declare(string declarator) => Join(Prefix + Name, declarator);
    }

    /// <summary>A struct or union by its tag.</summary>
    public sealed record Record(string Name, bool IsUnion) : CType
    {
        public override string Declare(string declarator) => Join(Prefix + (IsUnion ? "union " : "struct ") + Name, declarator);
    }

    /// <summary>A struct or union without a tag, declared where it is used.</summary>
    public sealed record InlineRecord(CStruct Definition) : CType
    {
        public override string Declare(string declarator)
            => Join(Prefix + (Definition.IsUnion ? "union { … }" : "struct { … }"), declarator);
    }

    /// <summary>An enum by its tag.</summary>
    public sealed record Enum(string Name) : CType
    {
        public override string Declare(string declarator) => Join(Prefix + "enum " + Name, declarator);
    }

    /// <summary>A pointer.</summary>
    public sealed record Pointer(CType Target) : CType
    {
        public override string Declare(string declarator)
        {
            string own = IsConst ? "*const" : "*";
            string inner = declarator.Length == 0 ? own : own + (IsConst ? " " : "") + declarator;
            return Target is Function or Array ? Target.Declare("(" + inner + ")") : Target.Declare(inner);
        }
    }

    /// <summary>An array of fixed length.</summary>
    public sealed record Array(CType Element, long Length) : CType
    {
        public override string Declare(string declarator)
            => Element.Declare(declarator + "[" + Length.ToString(CultureInfo.InvariantCulture) + "]");
    }

    /// <summary>A function, met behind a pointer.</summary>
    public sealed record Function(CType Result, IReadOnlyList<CType> Parameters, bool IsVariadic) : CType
    {
        public override string Declare(string declarator)
        {
            IEnumerable<string> parameters = Parameters.Select(p => p.ToString());
            if (IsVariadic)
            {
                parameters = parameters.Append("...");
            }

            string list = Parameters.Count == 0 && !IsVariadic ? "void" : string.Join(", ", parameters);
            return Result.Declare(declarator + "(" + list + ")");
        }
    }
}

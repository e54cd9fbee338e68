using FluentAssertions;
using MoeOffload.Bindings.Generator;
using MoeOffload.Bindings.Generator.Emit;
using MoeOffload.Bindings.Generator.Model;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
internal sealed class CSharpEmitterTests
{
    private static readonly CType s_int = new CType.Primitive("int");

    [TestCase("_Bool", "byte")]
    [TestCase("char", "byte")]
    [TestCase("unsigned int", "uint")]
    [TestCase("long long", "long")]
    [TestCase("unsigned long", "CULong")]
    public void Primitive_has_a_blittable_counterpart(string c, string csharp)
        => new TypeTable([]).Map(new CType.Primitive(c)).Should().Be(csharp);

    [Test]
    public void Function_pointer_is_unmanaged_and_typed()
    {
        var function = new CType.Function(
            new CType.Primitive("_Bool"), [new CType.Primitive("float"), new CType.Pointer(new CType.Primitive("void"))], IsVariadic: false);

        new TypeTable([]).Map(new CType.Pointer(function)).Should().Be("delegate* unmanaged[Cdecl]<float, void*, byte>");
    }

    [Test]
    public void Type_of_the_systems_headers_is_passed_through_unseen()
    {
        new TypeTable([]).Map(new CType.Pointer(new CType.Typedef("FILE"))).Should().Be("void*");
        FluentActions.Invoking(() => new TypeTable([]).Map(new CType.Typedef("FILE"))).Should().Throw<GeneratorException>().WithMessage("*FILE*");
    }

    [Test]
    public void Function_is_an_import_with_its_comments_its_deprecation_and_escaped_names()
    {
        var function = new CFunction(
            "f", s_int, [new CParameter("params", s_int, "a < b"), new CParameter("", s_int, "")], IsVariadic: false, IsInline: false,
            "use \"g\"", new CDoc("Says & does.", "0"));

        Emit(Header(functions: [function])).Should().Contain("""
                /// <summary>Says &amp; does.</summary>
                /// <param name="params">a &lt; b</param>
                /// <returns>0</returns>
                /// <remarks><c>int f(int params, int)</c></remarks>
                [Obsolete("use \"g\"")]
                [DllImport("sample", ExactSpelling = true, CallingConvention = CallingConvention.Cdecl)]
                public static extern int f(int @params, int arg1);
            """);
    }

    [Test]
    public void Function_that_cannot_be_called_from_csharp_is_listed_as_left_out()
    {
        CFunction variadic = new("f", s_int, [], IsVariadic: true, IsInline: false, null, CDoc.None);
        CFunction inline = new("g", s_int, [], IsVariadic: false, IsInline: true, null, CDoc.None);

        string text = Emit(Header(functions: [variadic, inline]));

        text.Should().Contain("// Left out: f (variadic).").And.Contain("// Left out: g (inline").And.NotContain("extern");
    }

    [Test]
    public void Union_and_arrays_keep_their_layout()
    {
        var union = new CStruct("", IsUnion: true, IsOpaque: false, 8, 8, [Field("i", new CType.Primitive("long long"), 0), Field("d", new CType.Primitive("double"), 0)], CDoc.None);
        CStruct record = new("s", IsUnion: false, IsOpaque: false, 48, 8,
        [
            Field("", new CType.InlineRecord(union), 0),
            Field("text", new CType.Array(new CType.Primitive("char"), 8), 8),
            Field("sizes", new CType.Array(new CType.Typedef("size_t"), 2), 16),
            Field("next", new CType.Array(new CType.Pointer(new CType.Record("s", IsUnion: false)), 2), 32),
        ], CDoc.None);

        Emit(Header(structs: [record]), "SampleTypes.g.cs").Should().Contain("""
            internal unsafe struct s
            {
                public Anonymous_union Anonymous;
                public fixed byte text[8];
                public sizes_array sizes;
                public next_array next;

                [StructLayout(LayoutKind.Explicit)]
                public unsafe struct Anonymous_union
                {
                    [FieldOffset(0)]
                    public long i;
                    [FieldOffset(0)]
                    public double d;
                }

                public struct sizes_array
                {
                    private nuint _e0, _e1;

                    /// <summary>The element at an index from 0 to 1, unchecked; the struct must not move meanwhile.</summary>
                    public ref nuint this[int index] => ref ((nuint*)Unsafe.AsPointer(ref this))[index];
                }

                public struct next_array
                {
                    private s* _e0, _e1;
            """);
    }

    [Test]
    public void Bit_field_is_refused()
    {
        CStruct record = new("s", IsUnion: false, IsOpaque: false, 4, 4, [new CField("flag", s_int, 0, 1, CDoc.None)], CDoc.None);

        FluentActions.Invoking(() => Emit(Header(structs: [record]))).Should().Throw<GeneratorException>().WithMessage("s.flag is a bit field*");
    }

    [Test]
    public void Header_without_a_library_gives_only_the_types_that_others_need()
    {
        CFunction user = new("f", new CType.Pointer(new CType.Typedef("needed_t")), [], IsVariadic: false, IsInline: false, null, CDoc.None);
        CHeader types = Header(
            functions: [new CFunction("unbound", s_int, [], IsVariadic: false, IsInline: false, null, CDoc.None)],
            structs: [Opaque("needed"), Opaque("other")],
            typedefs: [new CTypedef("needed_t", new CType.Record("needed", IsUnion: false), CDoc.None)]);

        Dictionary<string, string> files = Files([Header(functions: [user]), types]);

        files.Keys.Should().BeEquivalentTo("BindingsVersion.g.cs", "SampleApi.g.cs", "OtherTypes.g.cs");
        files["SampleApi.g.cs"].Should().Contain("public static extern needed* f();");
        files["OtherTypes.g.cs"].Should().Contain("struct needed;").And.NotContain("struct other;");
    }

    private static string Emit(CHeader header, string file = "SampleApi.g.cs") => Files([header, Header()])[file];

    private static Dictionary<string, string> Files(CHeader[] headers)
    {
        var config = new BindingsConfig("Sample", [new BoundHeader("sample.h", "Sample", "sample"), new BoundHeader("other.h", "Other")]);
        return new CSharpEmitter(new BindingSet(config, headers), "1.2.3").Emit();
    }

    private static CHeader Header(CFunction[]? functions = null, CStruct[]? structs = null, CTypedef[]? typedefs = null)
        => new("sample.h", functions ?? [], structs ?? [], [], typedefs ?? [], []);

    private static CField Field(string name, CType type, long offset) => new(name, type, offset * 8, null, CDoc.None);

    private static CStruct Opaque(string name) => new(name, IsUnion: false, IsOpaque: true, 0, 0, [], CDoc.None);
}

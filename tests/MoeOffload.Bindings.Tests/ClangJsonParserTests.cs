using FluentAssertions;
using MoeOffload.Bindings.Generator;
using MoeOffload.Bindings.Generator.Clang;
using MoeOffload.Bindings.Generator.Model;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
[RequiresClang]
internal sealed class ClangJsonParserTests
{
    [Test]
    public void Struct_has_the_compilers_size_alignment_and_offsets()
    {
        CStruct record = CSource.Parse("struct s { char a; double b; short c[3]; };").Structs.Single();

        record.Should().BeEquivalentTo(new { Name = "s", Size = 24, Alignment = 8, IsOpaque = false, IsUnion = false });
        record.Fields.Select(f => (f.Name, f.Offset)).Should().Equal(("a", 0), ("b", 8), ("c", 16));
    }

    [Test]
    public void Bit_fields_have_their_place_and_width_in_bits()
    {
        CStruct record = CSource.Parse("struct s { unsigned a : 3; unsigned b : 7; int c; };").Structs.Single();

        record.Fields.Select(f => (f.Name, f.BitOffset, f.BitWidth)).Should().Equal(("a", 0, 3), ("b", 3, 7), ("c", 32, null));
    }

    [Test]
    public void Anonymous_union_is_laid_out_inside_its_struct()
    {
        CStruct record = CSource.Parse("struct s { int tag; union { long long i; double d; char text[12]; }; };").Structs.Single();

        CField field = record.Fields[1];
        field.Name.Should().BeEmpty();
        field.Offset.Should().Be(8);
        CStruct union = field.Type.Should().BeOfType<CType.InlineRecord>().Subject.Definition;
        union.IsUnion.Should().BeTrue();
        union.Size.Should().Be(16);
        union.Fields.Select(f => (f.Name, f.Offset)).Should().Equal(("i", 0), ("d", 0), ("text", 0));
    }

    [Test]
    public void Struct_without_a_tag_goes_by_its_typedef()
    {
        CStruct record = CSource.Parse("typedef struct { float x; } point;").Structs.Single();

        record.Should().BeEquivalentTo(new { Name = "point", Size = 4, IsTagless = true });
    }

    [Test]
    public void Struct_that_is_only_declared_is_opaque()
    {
        CHeader header = CSource.Parse("typedef struct inner * inner_t; struct outer { struct other * first; };");

        header.Structs.Select(s => (s.Name, s.IsOpaque)).Should().Equal(("inner", true), ("other", true), ("outer", false));
        header.Typedefs.Single().Target.ToString().Should().Be("struct inner *");
    }

    [Test]
    public void Tags_declared_inside_a_struct_are_at_file_scope()
    {
        CHeader header = CSource.Parse("struct outer { enum kind { A } kind; struct { struct deep { short x; } * deep; } unnamed; };");

        header.Enums.Select(e => e.Name).Should().Equal("kind");
        header.Structs.Select(s => (s.Name, s.Size)).Should().Equal(("deep", 2), ("outer", 16));
    }

    [Test]
    public void Enum_members_are_evaluated()
    {
        CEnum item = CSource.Parse("enum e { A = -1, B, C = 1 << 4, D = C | 3, E };").Enums.Single();

        item.Members.Select(m => (m.Name, m.Value)).Should().Equal(("A", -1), ("B", 0), ("C", 16), ("D", 19), ("E", 20));
    }

    [TestCase("const char * f(void)", "const char *f(void)")]
    [TestCase("void f(const int * const * p, unsigned long long n)", "void f(const int *const *p, unsigned long long n)")]
    [TestCase("int f(bool (*callback)(float progress, void * data), ...)", "int f(bool (*callback)(float, void *), ...)")]
    [TestCase("void (*f(int signal))(int)", "void (*f(int signal))(int)")]
    [TestCase("void f(int (*matrix)[4])", "void f(int (*matrix)[4])")]
    [TestCase("size_t f(const struct s * s, enum e e)", "size_t f(const struct s *s, enum e e)")]
    public void Function_keeps_its_prototype(string declaration, string prototype)
    {
        CHeader header = CSource.Parse($"#include <stddef.h>\n#include <stdbool.h>\nstruct s; enum e {{ A }};\n{declaration};");

        header.Functions.Single().Prototype.Should().Be(prototype);
    }

    [Test]
    public void Function_pointer_typedef_is_a_pointer_to_a_function()
    {
        CTypedef typedef = CSource.Parse("typedef int (*callback)(const char * text, void * data);").Typedefs.Single();

        CType.Function function = typedef.Target.Should().BeOfType<CType.Pointer>().Subject.Target.Should().BeOfType<CType.Function>().Subject;
        function.Parameters.Select(p => p.ToString()).Should().Equal("const char *", "void *");
        function.Result.ToString().Should().Be("int");
    }

    [Test]
    public void Deprecation_has_its_message_also_through_a_macro()
    {
        CHeader header = CSource.Parse("""
            #define DEPRECATED(func, hint) func __attribute__((deprecated(hint)))
            DEPRECATED(int old_one(int a,
                int b),
                "use \"new_one\" " "instead");
            int old_two(void) __attribute__((deprecated("gone")));
            int new_one(void); // "not a message"
            """);

        header.Functions.Select(f => (f.Name, f.Deprecation)).Should().Equal(
            ("old_one", "use \"new_one\" instead"), ("old_two", "gone"), ("new_one", null));
    }

    [Test]
    public void Macros_and_static_constants_are_evaluated()
    {
        CHeader header = CSource.Parse("""
            #include <stddef.h>
            #define GUARD
            #define SEED 0xFFFFFFFF
            #define NEGATIVE -1
            #define MAGIC 'A'
            #define SUM (SEED_BASE + 2 * NEGATIVE)
            #define SEED_BASE 40u
            #define NAME "a \"b\""
            #define HALF 0.5f
            #define SAME NAME
            #define API extern
            #define CALL(x) (x)
            #define BODY do { } while (0)
            #define ITSELF (ITSELF + 1)
            #define DROPPED 1
            #undef DROPPED
            static const size_t SIZE = sizeof(double) * 4;
            static const char * const TEXT = "not a number";
            """);

        header.Constants.Select(c => (c.Name, c.Value)).Should().BeEquivalentTo(new (string, object)[]
        {
            ("SEED", (Int128)0xFFFFFFFF), ("NEGATIVE", (Int128)(-1)), ("MAGIC", (Int128)65), ("SUM", (Int128)38), ("SEED_BASE", (Int128)40),
            ("NAME", "a \"b\""), ("HALF", 0.5), ("SAME", "a \"b\""), ("SIZE", (Int128)32),
        });
        header.Constants.Single(c => c.Name == "SEED").Type.ToString().Should().Be("unsigned int");
    }

    [Test]
    public void Headers_that_do_not_compile_are_refused_with_clangs_reason()
        => FluentActions.Invoking(() => CSource.Parse("struct {")).Should().Throw<GeneratorException>().WithMessage("*sample.h*error*");

    [Test]
    public void Header_that_is_not_there_is_named()
        => FluentActions.Invoking(() => new ClangJsonParser(new ClangTool("clang")).Parse(["absent.h"], ["/nowhere"]))
            .Should().Throw<GeneratorException>().WithMessage("*absent.h*/nowhere*");

    [Test]
    public void Clang_that_is_not_there_is_named_with_the_remedy()
        => FluentActions.Invoking(() => new ClangTool("no-such-clang").Run("", [], []))
            .Should().Throw<GeneratorException>().WithMessage("*no-such-clang*apt-get install clang*");
}

using FluentAssertions;
using MoeOffload.Bindings.Generator.Model;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
[RequiresClang]
internal sealed class HeaderCommentTests
{
    [Test]
    public void Comment_above_documents_the_declaration()
    {
        CHeader header = CSource.Parse("""
            // Adds up.
            //   - also negative numbers
            int add(int a, int b);

            /* One line. */
            int one(void);

            /**
             * Several
             * lines.
             */
            int several(void);
            """);

        header.Functions.Select(f => f.Doc.Summary).Should().Equal(
            "Adds up.\n  - also negative numbers", "One line.", "Several\nlines.");
    }

    [Test]
    public void Title_of_a_section_documents_nothing()
    {
        CHeader header = CSource.Parse("""
            //
            // Section
            //

            int first(void);
            int second(void); // behind
            int third(void);
            """);

        header.Functions.Select(f => f.Doc.Summary).Should().Equal("", "behind", "");
    }

    [Test]
    public void Comment_behind_a_field_goes_on_below_it()
    {
        CStruct record = CSource.Parse("""
            struct s {
                int a;   // the first
                         // and more of it
                int b;   // the second
                // the third
                int c;
                int d;
            };
            """).Structs.Single();

        record.Fields.Select(f => f.Doc.Summary).Should().Equal("the first\nand more of it", "the second", "the third", "");
    }

    [Test]
    public void Members_of_an_enum_have_their_own_comments_and_not_those_of_former_members()
    {
        CEnum item = CSource.Parse("""
            enum e {
                A = 0, // the first
                // B = 1, // removed
                C = 2,
                D // the last
            };
            """).Enums.Single();

        item.Members.Select(m => m.Doc.Summary).Should().Equal("the first", "", "the last");
    }

    [Test]
    public void Parameters_have_the_comments_of_their_lines_and_of_the_commands()
    {
        CHeader header = CSource.Parse("""
            /// @details Samples.
            /// @param seed The seed,
            ///   any number.
            /// @param gone Not a parameter.
            /// @return The token.
            int sample(int seed);

            int penalize(
                int last_n,    // last n tokens
                float repeat); // 1.0 = disabled
            """);

        header.Functions[0].Doc.Should().Be(new CDoc("Samples.\ngone: Not a parameter.", "The token."));
        header.Functions[0].Parameters.Single().Doc.Should().Be("The seed,\n  any number.");
        header.Functions[1].Doc.IsEmpty.Should().BeTrue();
        header.Functions[1].Parameters.Select(p => p.Doc).Should().Equal("last n tokens", "1.0 = disabled");
    }

    [Test]
    public void Macros_have_comments_too()
    {
        CHeader header = CSource.Parse("""
            // Above.
            #define A 1
            #define B 2 // behind
            """);

        header.Constants.Select(c => c.Doc.Summary).Should().Equal("Above.", "behind");
    }
}

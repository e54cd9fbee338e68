using FluentAssertions;
using MoeOffload.Documentation.Tests.Reference;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
public sealed class ReferencePageTests
{
    private const string Write = "MOE_WRITE_REFERENCE"; // ./build.sh reference sets it

    [TestCaseSource(nameof(Pages))]
    public void Page_is_what_the_program_says(string page)
    {
        ArgumentNullException.ThrowIfNull(page);
        string text = ReferencePages.All[page]();
        if (Environment.GetEnvironmentVariable(Write) == "1")
        {
            File.WriteAllText(Path.Combine(Repository.Root, page), text);
        }

        Repository.Read(page).Should().Be(text, "./build.sh reference writes {0} from the program", page);
    }

    private static IEnumerable<string> Pages() => ReferencePages.All.Keys;
}

using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
internal sealed class StructLayoutTests
{
    [Test]
    public void Every_size_alignment_and_offset_is_the_native_one()
        => AbiLayout.All().Where(c => c.Managed != c.Native).Should().BeEmpty();

    [Test]
    public void Every_struct_that_has_fields_is_checked()
    {
        IEnumerable<string> structs = GeneratedTypes.All
            .Where(t => t.IsValueType && !t.IsEnum && !t.IsNested && t.GetFields().Length > 0)
            .Select(t => $"sizeof({t.Name})");

        AbiLayout.All().Select(c => c.What).Should().Contain(structs);
    }
}

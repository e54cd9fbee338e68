using System.Reflection;
using System.Runtime.CompilerServices;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

/// <summary>A caller without nullable reference types can set a property to null that must not be. The property itself says so.</summary>
[TestFixture]
public sealed class NullOptionTests
{
    public static IEnumerable<TestCaseData> Properties() =>
        from property in NotNullProperties.Of([typeof(ModelCatalogOptions), typeof(PullOptions)])
        select new TestCaseData(property).SetArgDisplayNames($"{property.DeclaringType!.Name}.{property.Name}");

    [TestCaseSource(nameof(Properties))]
    public void Property_that_is_set_to_null_names_itself(PropertyInfo property)
    {
        object options = RuntimeHelpers.GetUninitializedObject(property.DeclaringType!);

        property.Invoking(it => it.SetValue(options, null)).Should().Throw<TargetInvocationException>()
            .WithInnerException<ArgumentNullException>().Which.ParamName.Should().Be(property.Name);
    }
}

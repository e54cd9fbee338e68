using System.Reflection;
using System.Runtime.CompilerServices;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

/// <summary>A caller without nullable reference types can set a property to null that must not be. The property itself says so.</summary>
[TestFixture]
public sealed class NullOptionTests
{
    public static IEnumerable<TestCaseData> Properties()
    {
        var nullability = new NullabilityInfoContext();
        return
            from type in new[] { typeof(ModelCatalogOptions), typeof(PullOptions) }
            from property in type.GetProperties()
            where property.SetMethod is { IsPublic: true } && !property.PropertyType.IsValueType
            where nullability.Create(property).WriteState == NullabilityState.NotNull
            select new TestCaseData(property).SetArgDisplayNames($"{type.Name}.{property.Name}");
    }

    [TestCaseSource(nameof(Properties))]
    public void Property_that_is_set_to_null_names_itself(PropertyInfo property)
    {
        object options = RuntimeHelpers.GetUninitializedObject(property.DeclaringType!);

        property.Invoking(it => it.SetValue(options, null)).Should().Throw<TargetInvocationException>()
            .WithInnerException<ArgumentNullException>().Which.ParamName.Should().Be(property.Name);
    }
}

using System.Reflection;
using System.Runtime.CompilerServices;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>
/// A caller without nullable reference types can set a property to null that must not be. The property itself says so: whoever reads it
/// later, a copy or a request, would fail with a NullReferenceException.
/// </summary>
[TestFixture]
public sealed class NullOptionTests
{
    private static readonly string[] s_kinds = ["Options", "Request", "Sampler", "Definition", "Message", "Call"];

    public static IEnumerable<TestCaseData> Properties() =>
        from property in NotNullProperties.Of(
            from type in typeof(ContextOptions).Assembly.GetExportedTypes()
            where type.IsClass && !type.IsAbstract && s_kinds.Any(kind => type.Name.EndsWith(kind, StringComparison.Ordinal))
            select type)
        select new TestCaseData(property).SetArgDisplayNames($"{property.DeclaringType!.Name}.{property.Name}");

    [TestCaseSource(nameof(Properties))]
    public void Property_that_is_set_to_null_names_itself(PropertyInfo property)
    {
        object options = RuntimeHelpers.GetUninitializedObject(property.DeclaringType!);

        property.Invoking(it => it.SetValue(options, null)).Should().Throw<TargetInvocationException>()
            .WithInnerException<ArgumentNullException>().Which.ParamName.Should().Be(property.Name);
    }

    [Test]
    public void Properties_of_every_kind_are_found()
    {
        PropertyInfo[] found = [.. Properties().Select(property => (PropertyInfo)property.Arguments[0]!)];

        found.Select(property => property.DeclaringType).Distinct().Should().Contain(
        [
            typeof(ContextOptions), typeof(ModelOptions), typeof(Embeddings.EmbeddingOptions), typeof(SamplingOptions), typeof(DrySampler),
            typeof(GenerationRequest), typeof(ChatOptions), typeof(ToolDefinition), typeof(ToolCall), typeof(ChatMessage),
        ]);
    }
}

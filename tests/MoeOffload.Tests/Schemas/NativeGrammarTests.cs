using FluentAssertions;
using MoeOffload.Native;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>llama.cpp reads the grammars of schemas.</summary>
[TestFixture]
public sealed class NativeGrammarTests
{
    [TestCaseSource(typeof(SchemaGrammarTests), nameof(SchemaGrammarTests.Schemas))]
    public void Grammar_is_read_by_llama(string schema) =>
        FluentActions.Invoking(() => SamplerHandle.OfGrammar(SmallModel.Shared.Native.Vocabulary, JsonSchema.Parse(schema).ToGrammar(), "root").Dispose()).Should().NotThrow();
}

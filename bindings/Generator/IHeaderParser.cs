using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator;

/// <summary>Reads C headers into the model that the emitters write from. The emitters know no parser.</summary>
internal interface IHeaderParser
{
    /// <summary>Parses the headers, found by name in the include folders; one result per header, in the order asked for.</summary>
    /// <exception cref="GeneratorException">The headers are not found, do not compile, or the parser's tool is missing.</exception>
    IReadOnlyList<CHeader> Parse(IReadOnlyList<string> headers, IReadOnlyList<string> includeFolders);
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;

namespace MoeOffload.Documentation.Tests;

/// <summary>Compiles samples as the program of a new console or web project would be compiled that references our packages.</summary>
internal static class SnippetCompiler
{
    private static readonly CSharpParseOptions s_parsing = new(LanguageVersion.Latest);

    private static readonly string[] s_consoleUsings =
    [
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks",
    ];

    private static readonly string[] s_webUsings =
    [
        .. s_consoleUsings, "System.Net.Http.Json", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Routing", "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection",
        "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    // The platform's assemblies, and the public API of ours: the test host's list has all of them.
    private static readonly MetadataReference[] s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).Contains("Tests", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Compiles a sample and returns the errors, with the line numbers of the page.</summary>
    public static IReadOnlyList<string> Compile(Snippet snippet) =>
        [.. Create(snippet).GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(Describe)];

    /// <summary>Compiles a sample to an assembly with an entry point.</summary>
    public static byte[] CompileToAssembly(Snippet snippet)
    {
        using var assembly = new MemoryStream();
        EmitResult result = Create(snippet).Emit(assembly);
        return result.Success
            ? assembly.ToArray()
            : throw new InvalidOperationException(string.Join('\n', result.Diagnostics.Select(Describe)));
    }

    private static CSharpCompilation Create(Snippet snippet)
    {
        bool isWeb = (snippet.Context + snippet.Code).Contains("WebApplication", StringComparison.Ordinal);
        string implicitUsings = string.Concat((isWeb ? s_webUsings : s_consoleUsings).Select(name => $"global using {name};\n"));
        return CSharpCompilation.Create(
            $"Sample{snippet.Line}",
            [CSharpSyntaxTree.ParseText(implicitUsings, s_parsing), CSharpSyntaxTree.ParseText(Program(snippet), s_parsing)],
            s_references,
            new CSharpCompilationOptions(HasStatements(snippet) ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }

    // A sample without statements is a file of a program.
    private static bool HasStatements(Snippet snippet) => Parse(snippet.Context).Members.Concat(Parse(snippet.Code).Members).OfType<GlobalStatementSyntax>().Any();

    // In the order that C# demands: directives, statements, types.
    private static string Program(Snippet snippet)
    {
        CompilationUnitSyntax context = Parse(snippet.Context);
        CompilationUnitSyntax code = Parse(snippet.Code);
        return $"""
            {context.Usings.ToFullString()}
            {Located(snippet, code.Usings.Select(directive => directive))}
            {Text(context.Members.OfType<GlobalStatementSyntax>())}
            {Located(snippet, code.Members.OfType<GlobalStatementSyntax>())}
            #line default
            {Text(context.Members.Where(member => member is not GlobalStatementSyntax))}
            {Located(snippet, code.Members.Where(member => member is not GlobalStatementSyntax))}
            """;
    }

    private static CompilationUnitSyntax Parse(string text) => CSharpSyntaxTree.ParseText(text, s_parsing).GetCompilationUnitRoot();

    private static string Text(IEnumerable<SyntaxNode> nodes) => string.Concat(nodes.Select(node => node.ToFullString()));

    private static string Located(Snippet snippet, IEnumerable<SyntaxNode> nodes) => string.Concat(nodes.Select(node =>
        $"\n#line {snippet.Line + node.SyntaxTree.GetLineSpan(node.FullSpan).StartLinePosition.Line} \"{snippet.File}\"\n{node.ToFullString()}"));

    private static string Describe(Diagnostic diagnostic)
    {
        FileLinePositionSpan place = diagnostic.Location.GetMappedLineSpan();
        return $"{place.Path}:{place.StartLinePosition.Line + 1}: {diagnostic.Id}: {diagnostic.GetMessage(null)}";
    }
}

using System.Globalization;
using System.Text;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>
/// Parses headers with clang: declarations from its JSON AST, layouts from its record layouts, and the values of macros and
/// static constants from the AST of a probe that evaluates them.
/// </summary>
internal sealed class ClangJsonParser(ClangTool clang) : IHeaderParser
{
    private static readonly string[] s_astOptions = ["-Xclang", "-ast-dump=json", "-fsyntax-only"];

    public IReadOnlyList<CHeader> Parse(IReadOnlyList<string> headers, IReadOnlyList<string> includeFolders)
    {
        List<string> files = [.. headers.Select(h => Find(h, includeFolders))];
        string source = string.Concat(headers.Select(h => $"#include \"{h}\"\n"));
        List<ClangNode> declarations =
            [.. ClangAstReader.Read(clang.Run(source, includeFolders, s_astOptions), IsWanted).SelectMany(Hoist)];
        List<Macro> macros = MacroReader.Read(
            clang.Run(source, includeFolders, ["-E", "-dD"]),
            IsWanted,
            declarations.Where(d => d.Kind == "EnumDecl").SelectMany(d => d.ChildrenOf("EnumConstantDecl")).Select(m => m.Name));

        string probe = source + ConstantProbe.Source(macros, declarations) + LayoutProbe(declarations);
        Dictionary<string, RecordLayout> layouts = RecordLayout.ReadAll(
            clang.Run(probe, includeFolders, ["-Xclang", "-fdump-record-layouts-simple", "-fsyntax-only"]));
        var constants = new ConstantProbe(ClangAstReader.Read(
            clang.Run(probe, includeFolders, s_astOptions), f => f == "<stdin>"));

        return [.. headers.Zip(files, (header, file) => new HeaderReader(
            header,
            new HeaderSource(file),
            [.. declarations.Where(d => Same(d.Location.File, file))],
            [.. macros.Where(m => Same(m.File, file))],
            layouts,
            constants).Read())];

        bool IsWanted(string file) => files.Exists(f => Same(file, f));
    }

    // A tag first met inside a struct is at file scope nevertheless.
    private static IEnumerable<ClangNode> Hoist(ClangNode node)
        => node.Kind == "RecordDecl"
            ? node.Children.Where(c => c.Kind is "RecordDecl" or "EnumDecl").SelectMany(Hoist).Where(c => c.Name.Length > 0).Append(node)
            : [node];

    // sizeof makes clang lay a record out, and so dump it.
    private static string LayoutProbe(IEnumerable<ClangNode> declarations)
    {
        var text = new StringBuilder();
        var before = new ClangNode();
        foreach (ClangNode node in declarations)
        {
            string? type = node is { Kind: "RecordDecl", IsComplete: true, Name.Length: > 0 } ? $"{node.Tag} {node.Name}"
                : HeaderReader.IsNamedBy(before, node) ? node.Name
                : null;
            if (type is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"enum {{ probe_layout_{text.Length} = sizeof({type}) }};\n");
            }

            before = node;
        }

        return text.ToString();
    }

    private static string Find(string header, IReadOnlyList<string> includeFolders)
        => includeFolders.Select(f => Path.GetFullPath(Path.Combine(f, header))).FirstOrDefault(File.Exists)
            ?? throw new GeneratorException(
                $"The header '{header}' is in none of the include folders: {string.Join(", ", includeFolders)}. " +
                "./build.sh native installs the headers; --source names a checkout of llama.cpp instead, --include other folders.");

    private static bool Same(string path, string file)
        => path.Length > 0 && path[0] != '<' && string.Equals(Path.GetFullPath(path), file, StringComparison.Ordinal);
}

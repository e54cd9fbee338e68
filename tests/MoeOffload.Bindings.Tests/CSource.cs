using MoeOffload.Bindings.Generator.Clang;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Tests;

/// <summary>Parses a header given as text.</summary>
internal static class CSource
{
    public static CHeader Parse(string text)
    {
        string folder = Directory.CreateTempSubdirectory("moe bindings ü ").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "sample.h"), text);
            return new ClangJsonParser(new ClangTool("clang")).Parse(["sample.h"], [folder])[0];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

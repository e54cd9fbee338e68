using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace MoeOffload.Bindings.Generator;

/// <summary>What to read and where to write; paths are absolute.</summary>
internal sealed partial record GeneratorOptions
{
    /// <summary>What <c>--help</c> prints.</summary>
    public const string Usage = """
        Writes the C# bindings and the ABI checks from the native headers.

        usage: dotnet run --project bindings/Generator -- [options]

          --source DIR   a checkout of llama.cpp, whose headers are read instead of the installed ones
          --include DIR  a folder with headers, may be repeated; native/shim is always one
                         (default: artifacts/native/<rid>/include, which ./build.sh native fills)
          --config FILE  which headers become which classes (default: bindings/bindings.json)
          --lock FILE    names the version of llama.cpp (default: native/llama.cpp.lock)
          --out DIR      where the C# files go (default: bindings/Generated)
          --abi DIR      where the static assertions for the native build go (default: native/abi)
          --tests DIR    where the same numbers for the C# tests go (default: tests/MoeOffload.Bindings.Tests)
          --clang PATH   the compiler whose AST is read (default: clang)
        """;

    /// <summary>The folders with llama.cpp's headers.</summary>
    public required IReadOnlyList<string> Headers { get; init; }

    /// <summary>The folder with the shim's header.</summary>
    public required string Shim { get; init; }

    public required string Config { get; init; }
    public required string Lock { get; init; }
    public required string Out { get; init; }
    public required string Abi { get; init; }
    public required string Tests { get; init; }
    public string Clang { get; init; } = "clang";

    /// <summary>The checkout that the running program was built in.</summary>
    /// <exception cref="GeneratorException">It was built elsewhere.</exception>
    public static string FindCheckout()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "MoeOffload.sln")))
            {
                return folder;
            }
        }

        throw new GeneratorException($"No checkout of MoeOffload (MoeOffload.sln) is above '{AppContext.BaseDirectory}'.");
    }

    /// <summary>The defaults of a checkout.</summary>
    public static GeneratorOptions ForCheckout(string root) => new()
    {
        Headers = [Path.Combine(root, "artifacts", "native", RuntimeInformation.RuntimeIdentifier, "include")],
        Shim = Path.Combine(root, "native", "shim"),
        Config = Path.Combine(root, "bindings", "bindings.json"),
        Lock = Path.Combine(root, "native", "llama.cpp.lock"),
        Out = Path.Combine(root, "bindings", "Generated"),
        Abi = Path.Combine(root, "native", "abi"),
        Tests = Path.Combine(root, "tests", "MoeOffload.Bindings.Tests"),
    };

    /// <summary>The checkout's defaults with what the command line says instead.</summary>
    /// <exception cref="GeneratorException">An option is unknown or lacks its value.</exception>
    public static GeneratorOptions Parse(IReadOnlyList<string> arguments, string root)
    {
        GeneratorOptions options = ForCheckout(root);
        var headers = new List<string>();
        for (int i = 0; i < arguments.Count; i += 2)
        {
            string value = i + 1 < arguments.Count
                ? arguments[i + 1]
                : throw new GeneratorException($"The option '{arguments[i]}' lacks its value.\n\n{Usage}");
            string path = Path.GetFullPath(value);
            switch (arguments[i])
            {
                case "--include": headers.Add(path); break;
                case "--source": headers.AddRange(HeadersOf(path)); break;
                case "--config": options = options with { Config = path }; break;
                case "--lock": options = options with { Lock = path }; break;
                case "--out": options = options with { Out = path }; break;
                case "--abi": options = options with { Abi = path }; break;
                case "--tests": options = options with { Tests = path }; break;
                case "--clang": options = options with { Clang = value }; break;
                default: throw new GeneratorException($"'{arguments[i]}' is not an option.\n\n{Usage}");
            }
        }

        return headers.Count == 0 ? options : options with { Headers = headers };
    }

    /// <summary>The folders that hold a llama.cpp checkout's public headers.</summary>
    public static IReadOnlyList<string> HeadersOf(string source)
        => [Path.Combine(source, "include"), Path.Combine(source, "ggml", "include")];

    /// <summary>The version of llama.cpp that the lock file pins.</summary>
    /// <exception cref="GeneratorException">The file is missing or names no tag.</exception>
    public string ReadVersion()
    {
        string text = File.Exists(Lock) ? File.ReadAllText(Lock) : throw new GeneratorException($"The lock file '{Lock}' is missing.");
        Match tag = Tag().Match(text);
        return tag.Success ? tag.Groups["version"].Value : throw new GeneratorException($"The lock file '{Lock}' names no tag (tag = v1.2.3).");
    }

    [GeneratedRegex(@"^tag\s*=\s*v?(?<version>\S+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Tag();
}

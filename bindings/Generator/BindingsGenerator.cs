using MoeOffload.Bindings.Generator.Emit;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator;

/// <summary>From headers to files.</summary>
internal static class BindingsGenerator
{
    /// <summary>The text of every file that the options ask for, by its path.</summary>
    /// <exception cref="GeneratorException">The headers or clang are missing, or the headers hold what C# cannot express.</exception>
    public static IReadOnlyDictionary<string, string> Generate(GeneratorOptions options, IHeaderParser parser)
    {
        BindingsConfig config = BindingsConfig.Load(options.Config);
        string version = options.ReadVersion();
        IReadOnlyList<CHeader> headers = parser.Parse([.. config.Headers.Select(h => h.File)], [.. options.Headers, options.Shim]);

        var bindings = new BindingSet(config, headers);
        Dictionary<string, string> files = new CSharpEmitter(bindings, version).Emit()
            .ToDictionary(f => Path.Combine(options.Out, f.Key), f => f.Value);
        files[Path.Combine(options.Abi, AbiEmitter.FileName)] = AbiEmitter.Emit(bindings);
        files[Path.Combine(options.Tests, LayoutTestEmitter.FileName)] = LayoutTestEmitter.Emit(bindings);
        return files;
    }
}

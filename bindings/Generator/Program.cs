using MoeOffload.Bindings.Generator;
using MoeOffload.Bindings.Generator.Clang;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(GeneratorOptions.Usage);
    return 0;
}

try
{
    GeneratorOptions options = GeneratorOptions.Parse(args, GeneratorOptions.FindCheckout());
    IReadOnlyDictionary<string, string> files = BindingsGenerator.Generate(
        options, new ClangJsonParser(new ClangTool(options.Clang)));
    Directory.CreateDirectory(options.Out);
    foreach (string stale in Directory.EnumerateFiles(options.Out, "*.g.cs").Where(f => !files.ContainsKey(f)))
    {
        File.Delete(stale);
    }

    foreach ((string path, string text) in files)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    Console.WriteLine($"{files.Count} files written.");
    return 0;
}
catch (GeneratorException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}

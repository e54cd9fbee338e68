using System.Globalization;
using MoeOffload.Benchmarks;
using MoeOffload.Fixtures;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

// A child of the load benchmark: one load in a fresh process.
if (args is ["first-token", string file, string context, string prompt])
{
    FirstToken.Measure(file, int.Parse(context, CultureInfo.InvariantCulture), prompt);
    return 0;
}

// Another program, beside which is measured.
if (args is ["busy"])
{
    BusyProcess.Count();
}

if (args is ["shared-report", string samplesFile])
{
    Console.WriteLine(SharedReport.Write(SharedSample.Read(samplesFile)));
    return 0;
}

// How far plans are from the truth, for docs/planning.md. Resident memory is measured in a process of its own.
if (args is ["plan", .. string[] planKinds])
{
    return PlanCommand.Run(planKinds);
}

if (args is ["plan-system", string index])
{
    PlanCommand.MeasureSystem(int.Parse(index, CultureInfo.InvariantCulture));
    return 0;
}

// Many requests of all kinds at once, for some seconds: nothing may be lost or mixed up, and memory must stay flat.
if (args is ["soak", string seconds, .. { Length: < 2 } rest])
{
    return SoakCommand.Run(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)), rest.FirstOrDefault());
}

string[] known = ["tools", "streams", "server", "speculation", "shared"];
string[] parts = [.. args.TakeWhile(known.Contains)];
Dictionary<string, string> options = [];
for (int i = parts.Length; i + 1 < args.Length; i += 2)
{
    options[args[i]] = args[i + 1];
}

if ((args.Length - parts.Length) % 2 == 1 || options.Keys.Except(["--pairs", "--model", "--openmp-bench", "--samples"]).Any())
{
    Console.Error.WriteLine("usage: bench [tools] [streams] [server] [speculation] [shared] [--pairs N]   (the default is all benchmarks with 5 pairs)");
    Console.Error.WriteLine("       bench shared [--model FILE] [--openmp-bench FILE] [--samples FILE]   (another model, another build of llama-bench; samples are added to a file)");
    Console.Error.WriteLine("       bench shared-report FILE                                     (prints the tables of samples)");
    Console.Error.WriteLine("       bench plan [allocator] [system]                              (writes docs/planning, and the tables of docs/planning.md)");
    Console.Error.WriteLine("       bench soak SECONDS [MODEL.gguf]                              (the exit code is 1 if something was lost or mixed up)");
    return 2;
}

int pairs = int.Parse(options.GetValueOrDefault("--pairs", "5"), CultureInfo.InvariantCulture);
Console.WriteLine($"CPU only, {Environment.ProcessorCount} logical processors, {pairs} interleaved pairs.");
Console.WriteLine("Ratio: ours to llama.cpp's own tool, on the same libraries, file and settings; median [smallest, largest].");
Console.WriteLine();
TinyModel[] models = [TinyModels.Benchmark(), TinyModels.Olmoe()];
bool isAll = parts.Length == 0;
if (isAll || parts.Contains("tools"))
{
    foreach (TinyModel model in models)
    {
        Announce($"{model.Name}, synthetic weights", model.Path);
        Throughput.Run(model, pairs);
        FirstToken.Run(model.Path, pairs);
        Console.WriteLine();
    }

    Allocation.Run(models[^1]);
}

if (isAll || parts.Contains("streams"))
{
    Announce($"{models[0].Name}, synthetic weights", models[0].Path);
    Streams.RunLibrary(models[0].Path, pairs);
    PrefixReuse.Run(models[0], pairs);
    Console.WriteLine();
    Announce("the demo model", DemoModel.Path);
    Streams.RunLibrary(DemoModel.Path, pairs);
    Console.WriteLine();
}

if (isAll || parts.Contains("server"))
{
    Announce($"moe serve, {models[0].Name}, synthetic weights", models[0].Path);
    Streams.RunServer(models[0].Path, pairs);
    Console.WriteLine();
    Announce("moe serve, the demo model", DemoModel.Path);
    Streams.RunServer(DemoModel.Path, pairs);
    Console.WriteLine();
}

if (isAll || parts.Contains("speculation"))
{
    Console.WriteLine("Speculative decoding against plain decoding, one stream, in the same process.");
    Announce("lookup, the demo model", DemoModel.Path);
    Speculation.RunDemo(pairs);
    Console.WriteLine();
    Announce($"{models[0].Name}, and MTP of a smaller model, synthetic weights", models[0].Path);
    Speculation.RunSynthetic(pairs);
}

if (isAll || parts.Contains("shared"))
{
    Console.WriteLine("Beside busy processes, which use a core each: ours with the default threads, others with their best number of threads.");
    var shared = new SharedCores(options.GetValueOrDefault("--openmp-bench"), pairs);
    (string Name, string Path)[] files = options.TryGetValue("--model", out string? other)
        ? [(Path.GetFileNameWithoutExtension(other), other)]
        : [(Path.GetFileNameWithoutExtension(DemoModel.Path), DemoModel.Path), (models[0].Name, models[0].Path)];
    foreach ((string name, string path) in files)
    {
        Announce(name, path);
        List<SharedSample> samples = [.. shared.Run(path).Concat(FirstToken.Run(path, pairs).ToSamples()).Select(sample => sample with { Model = name })];
        Console.WriteLine(SharedReport.Write(samples));
        Console.WriteLine();
        if (options.TryGetValue("--samples", out string? samplesPath))
        {
            SharedSample.Append(samplesPath, samples);
        }
    }
}

return 0;

static void Announce(string what, string path) => Console.WriteLine($"{what}, {new FileInfo(path).Length / 1e6:0.0} MB");

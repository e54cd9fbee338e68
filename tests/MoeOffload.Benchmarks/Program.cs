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

// Many requests of all kinds at once, for some seconds: nothing may be lost or mixed up, and memory must stay flat.
if (args is ["soak", string seconds])
{
    return SoakCommand.Run(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)));
}

int pairs = args is ["--pairs", string count] ? int.Parse(count, CultureInfo.InvariantCulture) : 5;
if (args.Length > 0 && args is not ["--pairs", _])
{
    Console.Error.WriteLine("usage: bench [--pairs N]    (5 pairs unless told otherwise)");
    Console.Error.WriteLine("       bench soak SECONDS   (ends with 1 where something was lost or mixed up)");
    return 2;
}

Console.WriteLine($"CPU only, synthetic weights, {Environment.ProcessorCount} logical processors, {pairs} interleaved pairs.");
Console.WriteLine("Ratio: ours to llama.cpp's own tool, on the same libraries, file and settings; median [smallest, largest].");
Console.WriteLine();
TinyModel[] models = [TinyModels.Benchmark(), TinyModels.Olmoe()];
foreach (TinyModel model in models)
{
    Console.WriteLine($"{model.Name}, {new FileInfo(model.Path).Length / 1e6:0.0} MB");
    Throughput.Run(model, pairs);
    FirstToken.Run(model, pairs);
    Console.WriteLine();
}

Allocation.Run(models[^1]);
return 0;

using System.Collections.Concurrent;
using MoeCharacter;
using MoeOffload;
using MoeOffload.Catalog;

// A file, or the name of a model. An argument overrides it.
string name = args is [var argument] ? argument : "MODEL_NAME";
try
{
    CatalogEntry entry = await new ModelCatalog(ModelCatalogOptions.FromEnvironment()).ResolveAsync(name);
    using MoeModel model = await MoeModel.LoadAsync(entry.Path, new ModelOptions { Placement = TensorPlacement.ExpertsToCpu() });
    using GenerationSession session = model.CreateSession(new ContextOptions
    {
        ContextLength = 2048,

        // The loop and the rest of the game have the cores first.
        Threads = new ThreadOptions { Priority = ComputePriority.BelowNormal, ReservedCores = Environment.ProcessorCount > 2 ? 1 : 0 },
    });
    using var character = new Character(session, "You are Mira, a cheerful innkeeper in a village at the edge of a forest. Answer in one or two sentences.");
    await character.WarmUpAsync();

    // The lines of the player arrive on another thread, as the events of a window do.
    var lines = new ConcurrentQueue<string>();
    bool isOver = false;
    var reader = new Thread(() =>
    {
        while (Console.ReadLine() is { Length: > 0 } line)
        {
            lines.Enqueue(line);
        }

        Volatile.Write(ref isOver, true);
    })
    {
        IsBackground = true,
    };
    Console.WriteLine("Talk to Mira. An empty line ends the game.");
    reader.Start();
    new Game(character, lines, () => Volatile.Read(ref isOver)).Run();
    return 0;
}
catch (MoeOffloadException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

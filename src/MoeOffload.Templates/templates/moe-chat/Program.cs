using MoeOffload;
using MoeOffload.Catalog;
using MoeOffload.Chat;

// A file, or the name of a model. An argument overrides it.
string name = args is [var argument] ? argument : "MODEL_NAME";
try
{
    CatalogEntry entry = await FindAsync(name);
    Console.WriteLine($"Loading {entry.Name} ...");
    var options = new ModelOptions { Placement = TensorPlacement.ExpertsToCpu() }; // the experts stay in system memory
    using MoeModel model = await MoeModel.LoadAsync(entry.Path, options);
    using GenerationSession session = model.CreateSession();

    List<ChatMessage> history = [ChatMessage.System("Be brief.")];
    for (Console.Write("> "); Console.ReadLine() is { Length: > 0 } question; Console.Write("> "))
    {
        history.Add(ChatMessage.User(question));
        await foreach (ChatUpdate update in session.ChatAsync(history))
        {
            Console.Write(update.Content);
            if (update.Message is { } answer) // the last update has the whole answer
            {
                history.Add(answer);
            }
        }

        Console.WriteLine();
    }

    return 0;
}
catch (MoeOffloadException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

// Finds a model on this machine, or downloads it from Hugging Face.
static async Task<CatalogEntry> FindAsync(string name)
{
    try
    {
        return await new ModelCatalog(ModelCatalogOptions.FromEnvironment()).ResolveAsync(name);
    }
    catch (ModelNotFoundException) when (!name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && ModelReference.TryParse(name, out _))
    {
        Console.WriteLine($"Downloading {name} ...");
        using var pull = new ModelPull(PullOptions.FromEnvironment());
        return await pull.PullAsync(ModelReference.Parse(name));
    }
}

using System.Collections.Concurrent;
using MoeOffload;
using MoeOffload.Chat;
using MoeOffload.Games;
using TextAdventure;

const int Characters = 3;

Arguments arguments = Arguments.Parse(args);
try
{
    using MoeModel model = await MoeModel.LoadAsync(arguments.Model, new ModelOptions { Placement = TensorPlacement.ExpertsToCpu() });
    using GenerationSession session = await model.CreateSessionAsync(new ContextOptions
    {
        SequenceCount = Characters,
        ContextLength = Characters * Math.Min(model.Info.TrainedContextLength, 4096),
        Threads = new ThreadOptions { Priority = ComputePriority.BelowNormal },
    });

    // The template of the repository's model does not show actions. A model whose template does keeps it.
    ChatTemplate? template = model.ChatTemplate.Capabilities.Tools ? null : model.ParseChatTemplate(PlainTemplate.Source);
    using var world = new World(new LocalBrain(session, template), new WorldOptions { Knowledge = Cast.Knowledge });
    var village = new Village();
    var cast = new Cast(world, village, arguments.Seed);
    await world.WarmUpAsync();

    // Lines arrive on another thread, as the events of a window do.
    var lines = new ConcurrentQueue<string>();
    bool isOver = false;
    var reader = new Thread(() =>
    {
        using TextReader input = arguments.Script is { } script ? File.OpenText(script) : Console.In;
        while (input.ReadLine() is { } line)
        {
            lines.Enqueue(line);
        }

        Volatile.Write(ref isOver, true);
    })
    {
        IsBackground = true,
    };
    reader.Start();
    bool isEcho = arguments.Script is not null || Console.IsInputRedirected;
    var game = new Game(world, village, cast, arguments.Save, line => Console.Write(line));
    game.Run(lines, () => Volatile.Read(ref isOver), isEcho);
    return 0;
}
catch (Exception exception) when (exception is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

using System.Diagnostics;
using System.Globalization;
using System.Text;
using GameLoop;
using MoeOffload;

string[] questions =
[
    "Who are you?",
    "What do you do all day?",
    "Where do you live?",
    "Tell me a story.",
];

Arguments arguments = Arguments.Parse(args);
try
{
    using MoeModel model = MoeModel.Load(arguments.Model);
    using GenerationSession session = model.CreateSession(new ContextOptions
    {
        // There are twice as many sequences as characters, because the next line can begin while the sequence of the last one is being freed.
        SequenceCount = 2 * arguments.Characters,
        ContextLength = 2 * arguments.Characters * 512,
        Threads = arguments.Threads,
    });
    Character[] characters =
    [
        .. Enumerable.Range(0, arguments.Characters).Select(i => new Character(session, model.ChatTemplate, questions[i % questions.Length])),
    ];

    using var end = new CancellationTokenSource();
    var writer = new Thread(() =>
    {
        while (!end.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(5)))
        {
            foreach (Character character in characters)
            {
                character.Write();
            }
        }
    });
    writer.Start();

    var game = new Game(characters, arguments);
    var others = new OtherPrograms();
    long start = Stopwatch.GetTimestamp();
    game.Run();
    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    end.Cancel();
    writer.Join();
    foreach (Character character in characters)
    {
        character.Stop();
    }

    int tokens = characters.Sum(character => character.TokenCount);
    Console.WriteLine("the last words of the first character:");
    Console.WriteLine(Encoding.UTF8.GetString(characters[0].Bubble));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{characters.Length} characters, {tokens} tokens, {tokens / seconds:0.0} tokens/s"));
    bool isIdle = others.Report();
    return game.Meter.Report() ? 0 : isIdle ? 1 : 3;
}
catch (Exception exception) when (exception is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

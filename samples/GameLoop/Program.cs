using System.Diagnostics;
using System.Text;
using GameLoop;
using MoeOffload;

const int WarmUpFrames = 60;
TimeSpan controlTime = TimeSpan.FromMicroseconds(10);

Arguments arguments = Arguments.Parse(args);
try
{
    using MoeModel model = MoeModel.Load(arguments.Model);
    using GenerationSession session = model.CreateSession(new ContextOptions
    {
        // There are twice as many sequences as characters, because the next line can begin while the sequence of the last one is being freed.
        SequenceCount = 2 * arguments.Characters,
        ContextLength = 2 * arguments.Characters * 512,
        Threads = { Decode = arguments.Threads },
    });
    Character[] characters = [.. Enumerable.Range(1, arguments.Characters).Select(i => new Character(session, $"Character {i}"))];

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

    int frames = arguments.Seconds * arguments.Rate;
    var warmUp = new FrameMeter(WarmUpFrames);
    var meter = new FrameMeter(frames);
    var control = new FrameMeter(frames + WarmUpFrames);
    long frameTicks = Stopwatch.Frequency / arguments.Rate;
    long due = Stopwatch.GetTimestamp();
    for (int frame = -WarmUpFrames; frame < frames; frame++)
    {
        FrameMeter current = frame < 0 ? warmUp : meter;
        current.Begin();
        foreach (Character character in characters)
        {
            character.Update();
        }

        current.End();

        // Other programs on the machine interrupt this loop equally often.
        control.Begin();
        while (control.Elapsed < controlTime)
        {
        }

        control.End();
        due += frameTicks;
        TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
        if (rest > TimeSpan.Zero)
        {
            Thread.Sleep(rest);
        }
    }

    end.Cancel();
    writer.Join();
    foreach (Character character in characters)
    {
        character.Stop();
    }

    Console.WriteLine($"{characters.Length} characters, {characters.Sum(character => character.TokenCount)} tokens; the last words of the first one:");
    Console.WriteLine(Encoding.UTF8.GetString(characters[0].Bubble));
    control.Report($"{controlTime.TotalMicroseconds} µs of nothing");
    return meter.Report("frame's own work") ? 0 : 1;
}
catch (Exception exception) when (exception is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

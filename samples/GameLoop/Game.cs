using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GameLoop;

/// <summary>Represents the game, which draws frames at a fixed rate.</summary>
internal sealed class Game(Character[] characters, Arguments arguments)
{
    private const int WarmUpFrames = 60;

    private readonly int _frames = arguments.Seconds * arguments.Rate;
    private readonly long _frameTicks = Stopwatch.Frequency / arguments.Rate;
    private readonly FrameMeter _warmUp = new(WarmUpFrames);

    /// <summary>Gets the measured times of the frames, without the first second.</summary>
    public FrameMeter Meter { get; } = new(arguments.Seconds * arguments.Rate);

    /// <summary>Draws all frames.</summary>
    /// <remarks>
    /// The method is called once and runs until the end. By default, .NET compiles it quickly at first, and replaces the running code later: on
    /// this thread, in the middle of a frame. The attribute compiles it completely before the first frame.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        long due = Stopwatch.GetTimestamp();
        for (int frame = -WarmUpFrames; frame < _frames; frame++)
        {
            FrameMeter meter = frame < 0 ? _warmUp : Meter;
            meter.Begin();
            foreach (Character character in characters)
            {
                character.Update();
            }

            meter.End();
            Render(arguments.Render);
            due += _frameTicks;
            TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (rest < TimeSpan.Zero)
            {
                // The next frames are not late because of this one.
                meter.Miss();
                due = Stopwatch.GetTimestamp();
            }
            else
            {
                Thread.Sleep(rest);
            }
        }
    }

    // Uses a core, as drawing does.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Render(TimeSpan time)
    {
        long used = 0;
        long last = Stopwatch.GetTimestamp();
        long needed = (long)(time.TotalSeconds * Stopwatch.Frequency);
        long interruption = Stopwatch.Frequency / 5000;
        while (used < needed)
        {
            // While another program has the core, nothing is drawn.
            long now = Stopwatch.GetTimestamp();
            used += Math.Min(now - last, interruption);
            last = now;
        }
    }
}

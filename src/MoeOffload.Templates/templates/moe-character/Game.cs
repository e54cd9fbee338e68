using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace MoeCharacter;

/// <summary>A loop with 60 frames per second, in which nothing waits for the model.</summary>
internal sealed class Game(Character character, ConcurrentQueue<string> lines, Func<bool> isOver)
{
    private static readonly TimeSpan s_frame = TimeSpan.FromSeconds(1.0 / 60);

    private int _frames;
    private bool _wasSpeaking;
    private TimeSpan _longestUpdate;

    // Compiled once and completely: otherwise, the method that contains the loop is replaced while a frame runs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        long start = Stopwatch.GetTimestamp();
        while (!isOver() || !lines.IsEmpty || character.IsSpeaking)
        {
            Update();
            _frames++;
            TimeSpan rest = (_frames * s_frame) - Stopwatch.GetElapsedTime(start);
            if (rest > TimeSpan.Zero)
            {
                Thread.Sleep(rest);
            }
        }

        Console.WriteLine($"{_frames} frames. The character took at most {_longestUpdate.TotalMilliseconds:0.0} ms of a frame.");
    }

    private void Update()
    {
        long start = Stopwatch.GetTimestamp();
        if (!character.IsSpeaking && lines.TryDequeue(out string? line))
        {
            character.Ask(line);
        }

        string words = character.Update();
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        _longestUpdate = time > _longestUpdate ? time : _longestUpdate;
        Draw(words);
    }

    // A game would draw a bubble above the character's head.
    private void Draw(string words)
    {
        if (words.Length > 0)
        {
            Console.Write(words);
        }

        if (_wasSpeaking && !character.IsSpeaking)
        {
            Console.WriteLine();
        }

        _wasSpeaking = character.IsSpeaking;
    }
}

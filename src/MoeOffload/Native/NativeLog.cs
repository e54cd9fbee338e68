using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Forwards llama.cpp's log to <see cref="ILogger"/>. llama.cpp has one callback for the whole process, so a line goes to the logger that
/// was set on the thread that wrote it. Lines of llama.cpp's own threads go to the logger that was set last.
/// </summary>
internal static unsafe class NativeLog
{
    /// <summary>The category of llama.cpp's lines.</summary>
    public const string Category = "MoeOffload.Native";

    private const int MaxErrors = 8;

    private static volatile ILogger? s_fallback;

    [ThreadStatic]
    private static ThreadState? s_state;

    private static ThreadState State => s_state ??= new ThreadState();

    /// <summary>Sets llama.cpp's log callback. Called once in a process.</summary>
    public static void Install() => LlamaApi.llama_log_set(NativeCallbacks.Log, null);

    /// <summary>Directs llama.cpp's lines on this thread to a logger until the returned value is disposed, and clears the collected errors.</summary>
    public static Scope Enter(ILogger logger)
    {
        ThreadState state = State;
        var scope = new Scope(state.Logger);
        state.Logger = logger;
        state.Errors.Clear();
        s_fallback = logger;
        return scope;
    }

    /// <summary>Gets and clears the warnings and errors on this thread since <see cref="Enter"/> or the last call, at most the last eight.</summary>
    public static string[] TakeErrors()
    {
        ThreadState state = State;
        Flush(state);
        string[] lines = [.. state.Errors];
        state.Errors.Clear();
        return lines;
    }

    /// <summary>
    /// Marks the beginning of a computation on this thread that ends early if <paramref name="stop"/> is not 0. Warnings and errors after that
    /// are held back until <see cref="EndStoppable"/>, since they may only report the stop.
    /// </summary>
    public static void BeginStoppable(int* stop) => State.Stop = stop;

    /// <summary>Marks the end of the computation.</summary>
    /// <param name="isStopped"><see langword="true"/> if the computation was stopped, so that the held lines do not report an error.</param>
    public static void EndStoppable(bool isStopped)
    {
        ThreadState state = State;
        state.Stop = null;
        foreach ((LogLevel level, string line) in state.Held)
        {
            Write(state, isStopped ? LogLevel.Debug : level, line);
        }

        state.Held.Clear();
    }

    /// <summary>Receives a part of a line from llama.cpp.</summary>
    public static void Receive(ggml_log_level level, byte* text)
    {
        try
        {
            Append(level, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        }
        catch (Exception)
        {
            // An exception of a logger must not propagate into C. Only this logger loses the line.
        }
    }

    private static void Append(ggml_log_level level, ReadOnlySpan<byte> text)
    {
        ThreadState state = State;
        if (level != ggml_log_level.GGML_LOG_LEVEL_CONT)
        {
            Flush(state);
            state.Level = level;
        }

        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            if (end < 0)
            {
                state.Partial.AddRange(text);
                return;
            }

            state.Partial.AddRange(text[..end]);
            Flush(state);
            text = text[(end + 1)..];
        }
    }

    private static void Flush(ThreadState state)
    {
        if (state.Partial.Count == 0)
        {
            return;
        }

        LogLevel level = NativeLogLevel.Of(state.Level);
        string? line = IsFailure(level) || LoggerOf(state)?.IsEnabled(level) == true
            ? Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(state.Partial))
            : null;
        state.Partial.Clear();
        if (line is null)
        {
            return;
        }

        if (level == LogLevel.Warning && NativeLogLevel.IsRemark(line))
        {
            level = LogLevel.Debug;
        }

        if (IsFailure(level) && state.IsStopping)
        {
            state.Held.Add((level, line));
        }
        else
        {
            Write(state, level, line);
        }
    }

    private static void Write(ThreadState state, LogLevel level, string line)
    {
        if (IsFailure(level))
        {
            if (state.Errors.Count == MaxErrors)
            {
                state.Errors.RemoveAt(0);
            }

            state.Errors.Add(line);
        }

        if (LoggerOf(state) is { } logger && logger.IsEnabled(level))
        {
            NativeLogMessages.Line(logger, level, line);
        }
    }

    private static bool IsFailure(LogLevel level) => level >= LogLevel.Warning;

    private static ILogger? LoggerOf(ThreadState state) => state.Logger ?? s_fallback;

    /// <summary>Represents the scope that <see cref="Enter"/> begins.</summary>
    internal readonly ref struct Scope(ILogger? previous)
    {
        private readonly ILogger? _previous = previous;

        /// <summary>Writes an unfinished line, and restores the thread's previous logger.</summary>
        public void Dispose()
        {
            ThreadState state = State;
            Flush(state);
            state.Logger = _previous;
        }
    }

    private sealed class ThreadState
    {
        public ILogger? Logger { get; set; }

        public ggml_log_level Level { get; set; } = ggml_log_level.GGML_LOG_LEVEL_INFO;

        public List<byte> Partial { get; } = [];

        public List<string> Errors { get; } = [];

        public List<(LogLevel Level, string Line)> Held { get; } = [];

        public int* Stop { get; set; }

        public bool IsStopping => Stop != null && Volatile.Read(ref *Stop) != 0;
    }
}

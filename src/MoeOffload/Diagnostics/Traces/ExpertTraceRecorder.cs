using System.Buffers.Binary;
using System.Security.Cryptography;
using MoeOffload.Shared;

namespace MoeOffload.Diagnostics.Traces;

/// <summary>
/// Records a trace while a session computes. The session's thread encodes into buffers that exist from the beginning, and another thread writes them, so
/// that a step neither allocates nor waits for the disk. The file gets its name when it is complete.
/// </summary>
internal sealed class ExpertTraceRecorder
{
    private const int BufferSize = 1 << 18;
    private const int BufferCount = 16;

    // A disk that takes nothing for this long ends the recording, not the generation.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly Stream _stream;
    private readonly Action _commit;
    private readonly Action _discard;
    private readonly TimeSpan _limit;
    private readonly int _width;
    private readonly byte[][] _buffers;
    private readonly TaskCompletionSource<ExpertTraceSummary> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Held by those who encode: the session's thread, and once, the one that ends the recording.
    private readonly Lock _encoding = new();

    // Held for moments, to pass buffers to the writer and back.
    private readonly object _passing = new();

    private byte[] _buffer;
    private int _at;
    private int _stepRows;
    private long _steps;
    private long _tokens;
    private bool _isEnded;

    // Buffers up to the first number are written, those up to the second are passed to the writer.
    private long _written;
    private long _passed;
    private int _lastLength;
    private bool _isLast;
    private volatile bool _hasFailed;

    /// <summary>Takes ownership of a stream, and starts the thread that writes to it.</summary>
    /// <param name="path">The path for messages.</param>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="commit">Completes what was written.</param>
    /// <param name="discard">Closes the stream, and deletes what was written unless it was completed.</param>
    /// <param name="limit">The longest time that a step waits for the disk; null for the usual one.</param>
    public ExpertTraceRecorder(string path, ExpertTraceModel model, Stream stream, Action commit, Action discard, TimeSpan? limit = null)
    {
        _path = path;
        _stream = stream;
        _commit = commit;
        _discard = discard;
        _limit = limit ?? s_longestWait;
        _width = ExpertTraceFormat.WidthOf(model.ExpertCount);
        _buffers = [.. Enumerable.Range(0, BufferCount).Select(_ => new byte[BufferSize])];
        _buffer = _buffers[0];
        foreach (byte value in ExpertTraceFormat.EncodeHeader(model))
        {
            Put(value);
        }

        new Thread(Write) { IsBackground = true, Name = "MoeOffload trace" }.Start();
    }

    /// <summary>Gets a task that completes when the file has its name, and fails if it could not be written.</summary>
    public Task<ExpertTraceSummary> Done => _done.Task;

    /// <summary>Creates a file, which is checked to be writable, and starts to record.</summary>
    /// <exception cref="IOException">The file cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its directory is not writable.</exception>
    public static ExpertTraceRecorder Create(string path, ExpertTraceModel model)
    {
        AtomicFile file = AtomicFile.Create(path);
        return new ExpertTraceRecorder(path, model, file.Stream, file.Commit, file.Dispose);
    }

    /// <summary>Records what the router of a layer chose in a micro-batch.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">The number of tokens.</param>
    /// <param name="used">The number of experts in a row.</param>
    /// <param name="stride">The distance between the beginnings of two rows, in values.</param>
    /// <param name="experts">The rows.</param>
    public void OnChoices(int layer, int rows, int used, int stride, ReadOnlySpan<int> experts)
    {
        lock (_encoding)
        {
            if (_isEnded || _hasFailed)
            {
                return;
            }

            _stepRows = Math.Max(_stepRows, rows);
            Put(ExpertTraceFormat.ChoicesRecord);
            PutNumber(layer);
            PutNumber(rows);
            PutNumber(used);
            uint most = _width == 1 ? byte.MaxValue : ushort.MaxValue;
            for (int row = 0; row < rows; row++)
            {
                foreach (int expert in experts.Slice(row * stride, used))
                {
                    uint value = Math.Min((uint)expert, most);
                    Put((byte)value);
                    if (_width > 1)
                    {
                        Put((byte)(value >> 8));
                    }
                }
            }
        }
    }

    /// <summary>Records that a step has ended.</summary>
    /// <param name="tokens">The number of tokens in its batch.</param>
    /// <param name="outputs">The number of tokens whose logits were computed.</param>
    /// <param name="isComplete"><see langword="false"/> if it was not computed to its end.</param>
    public void OnStep(int tokens, int outputs, bool isComplete)
    {
        lock (_encoding)
        {
            PutStep(tokens, outputs, isComplete);
        }
    }

    /// <summary>Ends the recording. What is computed from then on is not recorded. Can be called more than once.</summary>
    public void Complete()
    {
        lock (_encoding)
        {
            if (_isEnded)
            {
                return;
            }

            if (_stepRows > 0)
            {
                PutStep(_stepRows, 0, isComplete: false);
            }

            _isEnded = true;
            Put(ExpertTraceFormat.EndRecord);
            PutInt64(_steps);
            PutInt64(_tokens);
            lock (_passing)
            {
                _lastLength = _at;
                _isLast = true;
                Monitor.PulseAll(_passing);
            }
        }
    }

    /// <summary>Ends the recording, and deletes what was written.</summary>
    public void Cancel()
    {
        lock (_passing)
        {
            _hasFailed = true;
            _done.TrySetCanceled();
            Monitor.PulseAll(_passing);
        }
    }

    private void PutStep(int tokens, int outputs, bool isComplete)
    {
        if (_isEnded || _hasFailed)
        {
            return;
        }

        // A choice can be made twice in a layer, but never for more tokens than the batch has.
        int count = Math.Max(tokens, _stepRows);
        Put(ExpertTraceFormat.StepRecord);
        PutNumber(count);
        PutNumber(Math.Min(outputs, count));
        Put(isComplete ? (byte)0 : ExpertTraceFormat.Incomplete);
        _stepRows = 0;
        _steps++;
        _tokens += count;
    }

    private void PutNumber(int value)
    {
        uint rest = (uint)value;
        for (; rest > 0x7F; rest >>= 7)
        {
            Put((byte)(rest | 0x80));
        }

        Put((byte)rest);
    }

    private void PutInt64(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        foreach (byte part in bytes)
        {
            Put(part);
        }
    }

    private void Put(byte value)
    {
        if (_at == BufferSize)
        {
            Pass();
        }

        _buffer[_at++] = value;
    }

    // Passes the full buffer to the writer, and takes the next one. If the recording has failed, the buffer is only used again.
    private void Pass()
    {
        _at = 0;
        lock (_passing)
        {
            if (_hasFailed)
            {
                return;
            }

            _passed++;
            Monitor.PulseAll(_passing);
            while (_passed - _written >= BufferCount && !_hasFailed)
            {
                long before = _written;
                if (!Monitor.Wait(_passing, _limit) && _written == before)
                {
                    Fail(new IOException($"its disk took nothing for {_limit.TotalSeconds:0.#} s"));
                }
            }

            _buffer = _buffers[_passed % BufferCount];
        }
    }

    private void Write()
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long bytes = 0;
            while (Next(out byte[] buffer, out int length))
            {
                hash.AppendData(buffer, 0, length);
                _stream.Write(buffer, 0, length);
                bytes += length;
                lock (_passing)
                {
                    _written++;
                    Monitor.PulseAll(_passing);
                }
            }

            if (_hasFailed)
            {
                _discard();
                return;
            }

            byte[] checksum = hash.GetHashAndReset();
            _stream.Write(checksum, 0, checksum.Length);
            _commit();
            _discard();
            _done.TrySetResult(new ExpertTraceSummary(_path, _steps, _tokens, bytes + checksum.Length));
        }
        catch (Exception exception)
        {
            // Nobody calls this thread: those who wait for the result get the exception.
            lock (_passing)
            {
                Fail(exception);
            }

            Discard();
        }
    }

    // Gets the next buffer to write; the last one is not full.
    private bool Next(out byte[] buffer, out int length)
    {
        lock (_passing)
        {
            while (_written == _passed && !_isLast && !_hasFailed)
            {
                Monitor.Wait(_passing);
            }

            buffer = _buffers[_written % BufferCount];
            length = _written == _passed ? _lastLength : BufferSize;
            return !_hasFailed && (_written < _passed || (_isLast && _written == _passed));
        }
    }

    private void Fail(Exception exception)
    {
        _hasFailed = true;
        _done.TrySetException(new IOException($"The trace of experts '{_path}' could not be written, and was deleted: {exception.Message}", exception));
        Monitor.PulseAll(_passing);
    }

    private void Discard()
    {
        try
        {
            _discard();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The reason that is reported came before.
        }
    }
}

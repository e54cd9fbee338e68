using MoeOffload.Inference.Planning;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents the embeddings of an image, which the projector's thread computes when they are requested.</summary>
/// <param name="projector">The projector.</param>
/// <param name="prompt">The prompt that has the image.</param>
/// <param name="chunk">The index of the image's chunk.</param>
/// <param name="wake">Wakes the scheduler.</param>
internal sealed class ImageEncoding(Projector projector, NativePrompt prompt, int chunk, Action wake) : IImageInput, IDisposable
{
    private readonly Lock _gate = new();
    private State _state;
    private volatile float[]? _embeddings;
    private volatile Exception? _failure;

    private enum State
    {
        Idle,
        Requested,
        Done,
        Disposed,
    }

    /// <inheritdoc/>
    public bool IsReady => _embeddings is not null;

    /// <inheritdoc/>
    public Exception? Failure => _failure;

    /// <inheritdoc/>
    public void Request()
    {
        lock (_gate)
        {
            if (_state != State.Idle)
            {
                return;
            }

            _state = State.Requested;
        }

        projector.Enqueue(Run);
    }

    /// <inheritdoc/>
    public void Release()
    {
        lock (_gate)
        {
            _state = _state == State.Done ? State.Idle : _state;
            _embeddings = null;
        }
    }

    /// <summary>Computes embeddings in a context.</summary>
    /// <param name="context">The context.</param>
    /// <param name="step">The step.</param>
    public DecodeResult Decode(NativeContext context, ImageStep step)
    {
        int width = projector.Native.Width;
        int[] positions = new int[step.Count * projector.Native.PositionCount];
        prompt.ReadPositions(chunk, step.Position, step.Begin, step.Count, positions);
        return context.DecodeEmbeddings(
            _embeddings.AsSpan(step.Begin * width, step.Count * width),
            positions,
            step.Count,
            step.Request.Sequence.Id,
            step.Image.IsCausal,
            wantsLogits: step.Request.LogitsIndex >= 0);
    }

    /// <summary>Releases the embeddings, and discards them if they are being computed.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _state = State.Disposed;
            _embeddings = null;
        }
    }

    private void Run()
    {
        float[]? embeddings = null;
        Exception? failure = null;
        try
        {
            if (_state == State.Requested)
            {
                embeddings = projector.Native.Encode(prompt, chunk);
            }
        }
        catch (Exception exception)
        {
            // No caller of this method could report the exception to the reader.
            failure = exception;
        }

        lock (_gate)
        {
            if (_state != State.Requested)
            {
                return;
            }

            _state = State.Done;
            _embeddings = embeddings;
            _failure = failure;
        }

        wake();
    }
}

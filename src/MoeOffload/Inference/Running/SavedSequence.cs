using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Tokens, and what the KV cache held of them, in system memory.</summary>
internal sealed class SavedSequence(int[] tokens, NativeBuffer data) : IDisposable
{
    /// <summary>The tokens.</summary>
    public int[] Tokens => tokens;

    /// <summary>The state, as llama.cpp writes it.</summary>
    public NativeBuffer Data => data;

    /// <summary>Copies a sequence out of the KV cache.</summary>
    public static SavedSequence Read(NativeContext context, int sequence, int[] tokens)
    {
        var data = new NativeBuffer(context.StateSize(sequence));
        try
        {
            data.Length = context.ReadState(sequence, data);
            return new SavedSequence(tokens, data);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>Makes another one that holds the same.</summary>
    public SavedSequence Clone() => new(tokens, data.Clone());

    /// <summary>Gives it away as a prefix cache keeps it.</summary>
    public HostSequence ToHost() => new(tokens, data.Length, this);

    /// <inheritdoc/>
    public void Dispose() => data.Dispose();
}

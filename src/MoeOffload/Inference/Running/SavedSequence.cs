using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents the tokens of a sequence and their KV cache in system memory.</summary>
internal sealed class SavedSequence(int[] tokens, NativeBuffer data) : IDisposable
{
    /// <summary>Gets the tokens.</summary>
    public int[] Tokens => tokens;

    /// <summary>Gets the sequence state in llama.cpp's format.</summary>
    public NativeBuffer Data => data;

    /// <summary>Copies a sequence from the KV cache.</summary>
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

    /// <summary>Creates a copy of this instance.</summary>
    public SavedSequence Clone() => new(tokens, data.Clone());

    /// <summary>Transfers the sequence to a prefix cache.</summary>
    public HostSequence ToHost() => new(tokens, data.Length, this);

    /// <inheritdoc/>
    public void Dispose() => data.Dispose();
}

using System.Runtime.InteropServices;

namespace MoeOffload.Measurement.Benches;

/// <summary>Stores the logits of many positions in a temporary file, so that two placements can be compared without both in memory.</summary>
internal sealed class LogitsFile : IDisposable
{
    private readonly FileStream _file = new(
        Path.Combine(Path.GetTempPath(), $"moe-logits-{Guid.NewGuid():N}"),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 0 });

    private float[] _row = [];

    /// <summary>Adds a position.</summary>
    public void Write(ReadOnlySpan<float> logits) => _file.Write(MemoryMarshal.AsBytes(logits));

    /// <summary>Gets the logits of a position, which are valid until the next call.</summary>
    /// <param name="index">The position, in the order in which they were added.</param>
    /// <param name="length">The size of the vocabulary.</param>
    public ReadOnlySpan<float> Read(int index, int length)
    {
        _row = _row.Length == length ? _row : new float[length];
        _file.Position = (long)index * length * sizeof(float);
        _file.ReadExactly(MemoryMarshal.AsBytes(_row.AsSpan()));
        return _row;
    }

    public void Dispose() => _file.Dispose();
}

namespace MoeOffload.Measurement.Samples;

/// <summary>
/// Represents a file that samples are written to while they are measured. The previous content is kept until the first sample, so that it is
/// not lost if the measurement cannot start.
/// </summary>
internal sealed class SampleFile : IDisposable
{
    private readonly FileStream _file;
    private readonly StreamWriter _writer;
    private bool _hasBegun;

    /// <summary>Opens the file, or creates it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is not writable.</exception>
    public SampleFile(string path)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        _writer = new StreamWriter(_file) { NewLine = "\n" };
    }

    /// <summary>Writes a sample to the operating system, so that it is kept even if the process is terminated.</summary>
    /// <param name="line">The sample's line.</param>
    public void Write(string line)
    {
        if (!_hasBegun && _file.CanSeek && _file.Length > 0)
        {
            _file.SetLength(0);
        }

        _hasBegun = true;
        _writer.WriteLine(line);
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();
}

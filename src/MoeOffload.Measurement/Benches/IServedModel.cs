namespace MoeOffload.Measurement.Benches;

/// <summary>Represents a server on this machine with one model loaded. Disposing it stops the server.</summary>
internal interface IServedModel : IAsyncDisposable
{
    /// <summary>Gets the server's address.</summary>
    Uri Address { get; }

    /// <summary>Gets the name that requests give the model.</summary>
    string Model { get; }
}

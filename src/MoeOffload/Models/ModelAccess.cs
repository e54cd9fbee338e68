using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Gives access to a native model until its owner is disposed, and keeps the texts of its tokens.</summary>
internal sealed class ModelAccess
{
    private readonly Type _owner;
    private readonly Lazy<TokenPieces> _pieces;
    private readonly Lazy<TokenPieces> _specialPieces;
    private volatile bool _isClosed;

    /// <param name="native">The native model.</param>
    /// <param name="owner">The type of the owner, for the message of the exception after it was disposed.</param>
    public ModelAccess(NativeModel native, Type owner)
    {
        Native = native;
        _owner = owner;
        _pieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: false));
        _specialPieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: true));
    }

    /// <summary>Gets the native model.</summary>
    public NativeModel Native { get; }

    /// <summary>Ends the access. Everything that has references of its own continues to work.</summary>
    public void Close()
    {
        _isClosed = true;
        Native.Dispose();
    }

    /// <summary>Prevents the native model from being freed until the returned value is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The owner has been disposed.</exception>
    public Use Enter() => new(this);

    /// <summary>Gets the texts of the tokens.</summary>
    /// <param name="special">Whether special tokens have texts.</param>
    public TokenPieces Pieces(bool special) => special ? _specialPieces.Value : _pieces.Value;

    internal readonly ref struct Use
    {
        private readonly ModelHandle _handle;

        public Use(ModelAccess access)
        {
            // A disposed handle still accepts references while sessions hold it.
            ObjectDisposedException.ThrowIf(access._isClosed, access._owner);
            bool added = false;
            access.Native.Handle.DangerousAddRef(ref added);
            _handle = access.Native.Handle;
        }

        public void Dispose() => _handle.DangerousRelease();
    }
}

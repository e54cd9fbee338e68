using System.Runtime.InteropServices;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Stores the bytes of all tokens in one array, so that a stream's text is a slice of it and allocates nothing.</summary>
internal sealed class TokenPieces
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly bool[] _whole;
    private readonly TokenPieces? _others;
    private readonly int[] _otherTokens = [];

    private TokenPieces(byte[] bytes, int[] starts, bool[] whole)
    {
        _bytes = bytes;
        _starts = starts;
        _whole = whole;
    }

    private TokenPieces(TokenPieces most, TokenPieces others, int[] otherTokens)
        : this(most._bytes, most._starts, most._whole)
    {
        _others = others;
        _otherTokens = otherTokens;
    }

    /// <summary>Reads all pieces of a vocabulary.</summary>
    public static TokenPieces Read(NativeVocabulary vocabulary, bool special)
    {
        List<byte> bytes = [];
        int[] starts = new int[vocabulary.Size + 1];
        bool[] whole = new bool[vocabulary.Size];
        for (int token = 0; token < whole.Length; token++)
        {
            vocabulary.AppendPiece(token, special, bytes);
            starts[token + 1] = bytes.Count;
            whole[token] = System.Text.Unicode.Utf8.IsValid(CollectionsMarshal.AsSpan(bytes)[starts[token]..]);
        }

        return new TokenPieces([.. bytes], starts, whole);
    }

    /// <summary>Gets a token's bytes, which are not always whole code points.</summary>
    public ReadOnlyMemory<byte> this[int token] =>
        IsOther(token) ? _others![token] : _bytes.AsMemory(_starts[token].._starts[token + 1]);

    /// <summary>Determines whether another vocabulary has the same pieces for the same tokens.</summary>
    public bool IsSameAs(TokenPieces other) => _starts.AsSpan().SequenceEqual(other._starts) && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <summary>Determines whether a token's bytes are whole code points.</summary>
    public bool IsWhole(int token) => IsOther(token) ? _others!._whole[token] : _whole[token];

    /// <summary>Creates pieces in which the specified tokens have their pieces from another instance.</summary>
    public TokenPieces With(TokenPieces others, int[] tokens) => tokens.Length == 0 ? this : new TokenPieces(this, others, tokens);

    private bool IsOther(int token) => _otherTokens.AsSpan().Contains(token);
}

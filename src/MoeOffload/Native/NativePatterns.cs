using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Matches names with the regular expression engine that llama.cpp uses.</summary>
internal sealed unsafe class NativePatterns : IDisposable
{
    // A reasonable pattern takes a few thousand steps for a name of at most 64 characters.
    private const ulong MaxSteps = 200_000;

    private readonly NativeMemoryScope _memory = new();
    private readonly byte** _names;
    private readonly int _count;

    /// <summary>Initializes a new instance of the <see cref="NativePatterns"/> class with a copy of the names.</summary>
    public NativePatterns(IReadOnlyList<string> names)
    {
        _count = names.Count;
        _names = (byte**)_memory.Allocate<nint>(_count);
        for (int i = 0; i < _count; i++)
        {
            _names[i] = _memory.Text(names[i], "A tensor name");
        }
    }

    /// <summary>Determines which names a pattern matches.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="matches">A value for each name, which indicates whether the pattern matches it.</param>
    /// <param name="reason">The reason if the method returns <see langword="false"/>: the pattern is not valid, or takes too many steps.</param>
    public bool TryMatch(string pattern, out bool[] matches, out string reason)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte[] matched = new byte[_count];
        fixed (byte* text = Utf8.ToTerminated(pattern, "A placement pattern"))
        fixed (byte* found = matched)
        {
            moe_status status = ShimApi.moe_regex_match(text, _names, (nuint)_count, MaxSteps, found, error, NativeError.BufferSize);
            reason = status == moe_status.MOE_STATUS_OK ? string.Empty : NativeError.Reason(status, error);
            matches = Array.ConvertAll(matched, value => value != 0);
            return status == moe_status.MOE_STATUS_OK;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}

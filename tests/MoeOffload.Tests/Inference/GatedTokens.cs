using System.Collections;

namespace MoeOffload.Tests.Inference;

/// <summary>Tokens of a prompt that can be read only once the gate is open: whoever reads them before waits.</summary>
internal sealed class GatedTokens(int count) : IReadOnlyList<int>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _gate = new();
    private readonly ManualResetEventSlim _reached = new();

    /// <inheritdoc/>
    public int Count => count;

    /// <summary>Gets whether somebody reads them.</summary>
    public bool IsReached => _reached.IsSet;

    /// <inheritdoc/>
    public int this[int index] => index % 100;

    /// <summary>Waits until somebody reads them.</summary>
    public bool WaitUntilReached() => _reached.Wait(s_patience);

    /// <summary>Lets them be read.</summary>
    public void Open() => _gate.Set();

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator()
    {
        _reached.Set();
        if (!_gate.Wait(s_patience))
        {
            throw new TimeoutException("Nobody opened the gate.");
        }

        for (int i = 0; i < count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

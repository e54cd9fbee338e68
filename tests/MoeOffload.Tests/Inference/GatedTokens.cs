using System.Collections;

namespace MoeOffload.Tests.Inference;

/// <summary>Tokens of a prompt that can be read only once the gate is open: whoever reads them before waits.</summary>
internal sealed class GatedTokens(int count) : IReadOnlyList<int>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _gate = new();
    private readonly TaskCompletionSource _reached = new();

    /// <inheritdoc/>
    public int Count => count;

    /// <summary>Gets whether somebody reads them.</summary>
    public bool IsReached => _reached.Task.IsCompleted;

    /// <inheritdoc/>
    public int this[int index] => index % 100;

    /// <summary>Waits until somebody reads them.</summary>
    public bool WaitUntilReached() => _reached.Task.Wait(s_patience);

    /// <summary>Lets them be read.</summary>
    public void Open() => _gate.TrySetResult();

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator()
    {
        _reached.TrySetResult();
        if (!_gate.Task.Wait(s_patience))
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

using System.Runtime.InteropServices;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Terminals;

/// <summary>
/// Ctrl-C and SIGTERM: the first one asks the command to end, which it does cleanly; a second one ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public Interruption()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, ExitCode.Interrupted));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, ExitCode.Terminated));
    }

    /// <summary>Cancelled once the command is to end.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>What the command ends with, once it was asked to.</summary>
    public int Code { get; private set; } = ExitCode.Interrupted;

    /// <summary>Takes Ctrl-C in place of the command while it is set: a chat ends its answer, and not itself.</summary>
    public Action? Instead { get; set; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context, int code)
    {
        if (code == ExitCode.Interrupted && Instead is { } instead)
        {
            context.Cancel = true;
            instead();
            return;
        }

        if (!_source.IsCancellationRequested)
        {
            context.Cancel = true;
            Code = code;
            _source.Cancel();
        }
    }
}

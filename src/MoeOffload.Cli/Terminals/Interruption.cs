using System.Runtime.InteropServices;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Terminals;

/// <summary>
/// Handles Ctrl-C and SIGTERM. The first one lets the command end cleanly, and the second one ends the process at once.
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

    /// <summary>Gets the token that is canceled when the command must end.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Gets the exit code for the signal that was received.</summary>
    public int Code { get; private set; } = ExitCode.Interrupted;

    /// <summary>Gets or sets an action that handles Ctrl-C instead of ending the command. A chat uses it to stop an answer.</summary>
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

using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Loading;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options that say what a benchmark measures: the model, its devices, and its context.</summary>
internal sealed class BenchArguments
{
    // The default context length of benchmarks.
    private const int UsualLength = 4096;

    private readonly ModelOpener _opener;
    private readonly ContextArguments _context = new();
    private readonly Option<bool> _rpcLoopback = Opt.Flag("Start llama.cpp's ggml-rpc-server on this machine and use it as the second device", "--rpc-loopback");

    public BenchArguments(GlobalOptions global) => _opener = new ModelOpener(new ModelArgument(global), new LoadArguments(global), _context);

    public void AddTo(Command command)
    {
        _opener.AddTo(command);
        command.Options.Add(_rpcLoopback);
    }

    /// <summary>Adds the options that do not concern a single model, for a command that measures several models.</summary>
    public void AddLoadingTo(Command command)
    {
        _opener.AddLoadingTo(command);
        command.Options.Add(_rpcLoopback);
    }

    /// <summary>Gets the options for loading, without the RPC server that has not been started yet.</summary>
    public ModelOptions LoadOptions(Invocation invocation) => _opener.LoadOptions(invocation);

    /// <summary>Starts the RPC server, if the command line asks for it, with as many threads as this process has.</summary>
    /// <returns>The server, which the caller must dispose; null if the command line does not ask for one.</returns>
    public LoopbackRpcServer? StartServer(Invocation invocation) => invocation.Parsed.GetValue(_rpcLoopback)
        ? LoopbackRpcServer.Start(_opener.LoadOptions(invocation), _opener.ContextOptions(invocation).Threads.Decode)
        : null;

    /// <summary>Reads what to measure.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="server">The RPC server that was started, if any.</param>
    /// <exception cref="UsageException">The command line places experts itself.</exception>
    public async Task<BenchSubject> ReadAsync(Invocation invocation, LoopbackRpcServer? server) =>
        Read(invocation, await _opener.FindAsync(invocation).ConfigureAwait(false), server);

    /// <summary>Reads what to measure for a model.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public BenchSubject Read(Invocation invocation, CatalogEntry entry, LoopbackRpcServer? server)
    {
        ModelOptions load = _opener.LoadOptions(invocation);
        if (load.Placement.Rules.Count > 0)
        {
            throw new UsageException("Benchmarks place the experts themselves: remove --cpu-moe, --n-cpu-moe and --override-tensor.");
        }

        var subject = new BenchSubject(entry.Name, entry.Path)
        {
            Load = server is null ? load : load with { RpcServers = [.. load.RpcServers, server.Address] },
            RpcServerProcess = server?.ProcessId,
        };
        ContextOptions context = _opener.ContextOptions(invocation);
        int trained = ModelLoading.Run(() => subject.TrainedLength);
        return subject with
        {
            Context = context.ContextLength > 0 ? context : context with { ContextLength = trained > 0 ? Math.Min(trained, UsualLength) : UsualLength },
        };
    }
}

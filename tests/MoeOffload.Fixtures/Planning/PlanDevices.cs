namespace MoeOffload.Fixtures;

/// <summary>RPC servers on loopback that plans are made for.</summary>
public sealed class PlanDevices : IDisposable
{
    private readonly List<RpcServer> _servers = [];
    private readonly List<string> _names = [];

    /// <summary>Starts the servers, and registers them in this process.</summary>
    public PlanDevices(int count)
    {
        for (int i = 0; i < count; i++)
        {
            var server = RpcServer.Start();
            _servers.Add(server);
            _names.Add(MoeModel.ListDevices(new ModelOptions { RpcServers = [server.Address] }).Single(device => device.Description == server.Address).Name);
        }
    }

    /// <summary>Gets the servers.</summary>
    public IReadOnlyList<RpcServer> Servers => _servers;

    /// <summary>Gets the options that use the first devices, with the weights in memory of the process's own.</summary>
    public ModelOptions Options(int count) => new()
    {
        RpcServers = [.. _servers.Take(count).Select(server => server.Address)],
        Devices = [.. _names.Take(count)],
        LoadMode = LoadMode.None,
    };

    public void Dispose()
    {
        foreach (RpcServer server in _servers)
        {
            server.Dispose();
        }
    }
}

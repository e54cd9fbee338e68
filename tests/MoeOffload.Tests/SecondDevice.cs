using MoeOffload.Fixtures;

namespace MoeOffload.Tests;

/// <summary>A second device: an RPC server on loopback that is registered in this process.</summary>
internal sealed class SecondDevice : IDisposable
{
    private SecondDevice(RpcServer server)
    {
        Server = server;
        Name = MoeModel.ListDevices(Options).Single(device => device.Description == server.Address).Name;
    }

    public RpcServer Server { get; }

    /// <summary>llama.cpp's name for it; it counts RPC devices up for the life of the process.</summary>
    public string Name { get; }

    /// <summary>The buffer type of the device's own memory.</summary>
    public string Buffer => Server.Buffer;

    /// <summary>Puts all layers on it.</summary>
    public ModelOptions Options => new() { RpcServers = [Server.Address] };

    public static SecondDevice Start()
    {
        RpcServer server = RpcServer.Start();
        try
        {
            return new SecondDevice(server);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public MoeModel Load(TinyModel model) => MoeModel.Load(model.Path, Options);

    public MoeModel Load(TinyModel model, TensorPlacement placement) => MoeModel.Load(model.Path, Options with { Placement = placement });

    public void Dispose() => Server.Dispose();
}

using System.Net;
using System.Net.Sockets;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
public sealed class RpcEndpointTests
{
    [TestCase("")]
    [TestCase("localhost")]
    [TestCase(":50052")]
    [TestCase("localhost:")]
    [TestCase("localhost:0")]
    [TestCase("localhost:65536")]
    [TestCase("localhost:-1")]
    [TestCase("[::1]:50052")]
    [TestCase("localhost:50052 ")]
    public void An_address_that_llama_cpp_cannot_read_is_refused(string address) =>
        Refused(address, $"'{address}' is not a valid address of an RPC server*host:port*");

    [Test]
    public void An_address_where_nobody_listens_is_refused()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        Refused($"127.0.0.1:{port}", "*cannot be reached (*ggml-rpc-server*");
        Refused("no-such-host.invalid:50052", "*cannot be reached (*");
    }

    [Test]
    public void A_server_that_serves_another_client_is_refused_in_time()
    {
        using RpcServer server = RpcServer.Start();
        using var client = new TcpClient("127.0.0.1", server.Port);

        Refused(server.Address, "*did not answer within 5 s*busy with another client*");

        client.Close();
        MoeModel.ListDevices(new ModelOptions { RpcServers = [server.Address] }).Should().Contain(device => device.Description == server.Address);
    }

    [TestCase("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "*is not a ggml-rpc-server*another program*")]
    [TestCase("no", "*is not a ggml-rpc-server*it closed the connection*")]
    public void Another_program_behind_the_address_is_refused(string answer, string message) => Answered([.. answer.Select(letter => (byte)letter)], message);

    [Test]
    public void A_server_of_another_version_is_refused() =>
        Answered([28, 0, 0, 0, 0, 0, 0, 0, 6, 1, 2, 0, .. new byte[24]], "*is not a ggml-rpc-server*version 6.1 of the protocol*");

    [Test]
    public void Many_models_share_one_server()
    {
        using RpcServer server = RpcServer.Start();
        var options = new ModelOptions { RpcServers = [server.Address] };
        List<MoeModel> models = [];
        try
        {
            Parallel.For(0, 6, _ =>
            {
                MoeModel model = MoeModel.Load(TinyModels.Olmoe().Path, options);
                lock (models)
                {
                    models.Add(model);
                }
            });
            models.Select(model => model.Greedy(3)).Should().AllBeEquivalentTo(models[0].Greedy(3));
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }
    }

    private static void Answered(byte[] answer, string message)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await client.GetStream().ReadExactlyAsync(new byte[33]);
            await client.GetStream().WriteAsync(answer);
        });

        Refused($"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", message);
        serving.Wait();
    }

    private static void Refused(string address, string message) => FluentActions
        .Invoking(() => MoeModel.ListDevices(new ModelOptions { RpcServers = [address] }))
        .Should().Throw<PlacementException>().WithMessage(message);
}

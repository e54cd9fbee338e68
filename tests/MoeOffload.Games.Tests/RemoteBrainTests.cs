using System.Net;
using System.Net.Sockets;
using System.Text;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

/// <summary>Characters whose model is on a server: our own, and others that behave in ways of their own.</summary>
[TestFixture]
public sealed class RemoteBrainTests : IDisposable
{
    private readonly HttpClient _http = new();

    [OneTimeTearDown]
    public void Dispose() => _http.Dispose();

    [Test]
    public void Character_on_our_server_answers_acts_and_is_interrupted()
    {
        string model = RealTemplates.Write(Play.Template);
        using MoeServer server = MoeServer.Start(model, "--threads", "1", "--ctx-size", "4096", "--parallel", "2", "--alias", "any");
        using var world = new World(Brain(server.Address, all: true), new WorldOptions { Knowledge = "There is a village by the sea. In the village there is a gate." });
        Character guard = world.AddCharacter(new CharacterOptions
        {
            Name = "Nico",
            Persona = "You are Nico.",
            MaxTokens = 600,
            MaxActions = 1,
            Sampling = SamplerPresets.Conversational with { Seed = 1 },
        });
        List<(string Door, int Times)> calls = [];
        guard.Actions.Add(
            "knock", "Knocks at a door.", (string door, int times) => { calls.Add((door, times)); },
            new ActionParameter("door") { Choices = ["gate", "cellar"] }, new ActionParameter("times") { Minimum = 1, Maximum = 3 });

        guard.Ask("Knock.", ToolChoice.Tool("knock"));
        string said = Play.Hear(world, guard);

        calls.Should().ContainSingle().Which.Door.Should().BeOneOf("gate", "cellar");
        calls[0].Times.Should().BeInRange(1, 3);
        said.Should().NotBeEmpty();
        guard.History[0].Messages.Select(message => message.Role).Should().Equal(ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant);
        guard.LastStatistics!.PromptTokens.Should().BePositive();
        guard.LastStatistics.CachedPromptTokens.Should().BePositive("the server has the beginning of the prompt");

        guard.Ask("Tell me a long story.");
        Play.Until(world, () => guard.TryRead(out _));
        guard.Interrupt();
        guard.History[1].IsInterrupted.Should().BeTrue();
    }

    [TestCase("HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nno key!", "*401: no key!*")]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n", "*ended the answer early*")]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\n", "*overloaded*")]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: {\"choices\":7}\n\n", "*not valid*")]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: hello\n\n", "*not valid*")]
    public async Task Failure_of_a_server_says_what_happened(string response, string message)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        Task server = Serve(listener, response);
        using var world = new World(Brain(new Uri($"http://{listener.LocalEndpoint}")));
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });

        guard.Ask("Hi");
        FluentActions.Invoking(() => Play.Until(world, () => false)).Should().Throw<InferenceException>().WithMessage(message);

        guard.IsAnswering.Should().Be(response.Contains("Hi", StringComparison.Ordinal), "words that arrived can be read");
        await server;
    }

    [Test]
    public async Task Answer_without_a_last_event_is_complete()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        Task server = Serve(
            listener,
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n: ping\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"Grüß \"}}]}\n\n"
            + "data: {\"choices\":[{\"delta\":{\"content\":\"dich!\"},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n");
        using var world = new World(Brain(new Uri($"http://{listener.LocalEndpoint}")));
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });

        guard.Ask("Hi");

        Play.Hear(world, guard).Should().Be("Grüß dich!");
        guard.History[0].IsInterrupted.Should().BeFalse();
        await server;
    }

    [Test]
    public void Server_that_does_not_answer_in_time_ends_the_turn()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var world = new World(Brain(new Uri($"http://{listener.LocalEndpoint}")));
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico", Deadline = TimeSpan.FromMilliseconds(200) });

        guard.Ask("Hi");

        Play.Hear(world, guard).Should().BeEmpty();
        guard.History.Should().ContainSingle().Which.IsInterrupted.Should().BeTrue();
    }

    [Test]
    public void Server_that_is_not_there_is_a_failure()
    {
        using var world = new World(Brain(new Uri("http://127.0.0.1:1")));
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });

        guard.Ask("Hi");

        FluentActions.Invoking(() => Play.Hear(world, guard)).Should().Throw<InferenceException>().WithMessage("*127.0.0.1:1/v1/chat/completions*Check that the server runs.");
    }

    [Test]
    public void Address_must_be_one_of_a_server() =>
        FluentActions.Invoking(() => new RemoteBrain(_http, new RemoteBrainOptions { Endpoint = new Uri("file:///tmp/model"), Model = "m" })).Should().Throw<ArgumentException>();

    private RemoteBrain Brain(Uri server, bool all = false) =>
        new(_http, new RemoteBrainOptions { Endpoint = new Uri(server, "/v1/"), Model = "any", SendsAllSamplers = all });

    // Answers one request, and closes the connection.
    private static Task Serve(TcpListener listener, string response)
    {
        listener.Start();
        return Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            NetworkStream stream = client.GetStream();
            byte[] buffer = new byte[1 << 16];
            string request = string.Empty;
            while (!(request.Contains("\"temperature\"", StringComparison.Ordinal) && request.EndsWith('}')))
            {
                request += Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer));
            }

            await stream.WriteAsync(Encoding.UTF8.GetBytes(response));
        });
    }
}

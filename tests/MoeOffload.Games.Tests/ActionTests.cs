using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

[TestFixture]
public sealed class ActionTests
{
    internal enum Mood
    {
        Calm,
        Angry,
    }

    [Test]
    public void Forced_action_has_arguments_of_its_types_runs_in_a_frame_and_its_result_is_remembered([Values(1u, 2u, 3u)] uint seed)
    {
        using GenerationSession session = Play.Session(length: 2048);
        using var world = new World(new LocalBrain(session));
        Character guard = world.AddCharacter(new CharacterOptions
        {
            Name = "Nico",
            Persona = "You are Nico.",
            MaxTokens = 1000,
            MaxActions = 1,
            Sampling = new SamplingOptions { Seed = seed },
        });
        List<(string Door, bool IsOpen, int Coins, Mood? Mood, int Thread)> calls = [];
        guard.Actions.Add(
            "set_door", "Opens or closes a door.", (string door, bool isOpen, int coins, Mood? mood) =>
            {
                calls.Add((door, isOpen, coins, mood, Environment.CurrentManagedThreadId));
                return "The door squeaks.";
            },
            new ActionParameter("door", "The door") { Choices = ["gate", "cellar"] }, "open", new ActionParameter("coins") { Minimum = 0, Maximum = 9 }, "mood");

        guard.Ask("Open the gate.", ToolChoice.Tool("set_door"));
        Play.Hear(world, guard);

        (string door, _, int coins, Mood? mood, int thread) = calls.Should().ContainSingle().Subject;
        door.Should().BeOneOf("gate", "cellar");
        coins.Should().BeInRange(0, 9);
        mood?.Should().BeDefined();
        thread.Should().Be(Environment.CurrentManagedThreadId);
        IReadOnlyList<ChatMessage> turn = guard.History.Should().ContainSingle().Subject.Messages;
        turn.Select(message => message.Role).Should().StartWith([ChatRole.User, ChatRole.Assistant, ChatRole.Tool]);
        turn[1].ToolCalls.Should().ContainSingle().Which.Name.Should().Be("set_door");
        turn[2].Content.Should().Be("The door squeaks.");
        turn[2].ToolCallId.Should().Be(turn[1].ToolCalls[0].Id);
    }

    [Test]
    public void Model_decides_by_itself_to_act()
    {
        // A model with random weights calls a tool if the token that begins a call is the most probable one.
        using MoeModel model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, "[TOOL_CALLS]"));
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 2048, Threads = { Decode = 1 } });
        int call = model.Vocabulary.Tokenize("[TOOL_CALLS]", addSpecial: false, parseSpecial: true).Single();
        using var world = new World(new LocalBrain(session));
        Character guard = world.AddCharacter(new CharacterOptions
        {
            Name = "Nico",
            MaxTokens = 500,
            Sampling = new SamplingOptions { Seed = 1, Temperature = 3, TopK = 0, TopP = 1, MinP = 0, LogitBias = new Dictionary<int, float> { [call] = 50 } },
        });
        List<Mood> calls = [];
        guard.Actions.Add("feel", "Shows a feeling.", (Mood mood) => calls.Add(mood), "mood");

        guard.Ask("I have no money.");
        Play.Until(world, () => calls.Count > 0);

        calls[0].Should().BeDefined();
    }

    [Test]
    public void Arguments_of_all_types_reach_the_method()
    {
        List<object?> seen = [];
        var brain = new ScriptedBrain(
            ScriptedBrain.Call("numbers", """{"a":-5,"b":9007199254740993,"c":7,"d":255}"""),
            ScriptedBrain.Call("fractions", """{"a":0.5,"b":-1e300}"""),
            ScriptedBrain.Call("optional", """{"b":null,"d":"Angry"}"""),
            ScriptedBrain.Call("optional", """{"a":"x","b":3,"c":true}"""));
        using var world = new World(brain);
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico", MaxActions = 4 });
        guard.Actions.Add("numbers", "", (int a, long b, short c, byte d) => seen.AddRange([a, b, c, d]), "a", "b", "c", "d");
        guard.Actions.Add("fractions", "", (float a, double b) => seen.AddRange([a, b]), "a", "b");
        guard.Actions.Add(
            "optional", "", (string? a, int? b, bool? c, Mood? d) => seen.AddRange([a, b, c, d]), new ActionParameter("a") { IsOptional = true }, "b", "c", "d");

        guard.Ask("Go.");
        Play.Hear(world, guard);

        seen.Should().Equal(-5, 9007199254740993L, (short)7, (byte)255, 0.5f, -1e300, null, null, null, Mood.Angry, "x", 3, true, null);
        guard.History[0].Messages.Where(message => message.Role == ChatRole.Tool).Should().OnlyContain(message => message.Content == "Done.");
    }

    [TestCase("""{"a":3000000000}""", "*a whole number from 1 to 9*")]
    [TestCase("""{"a":2.5}""", "*'a' cannot be 2.5*")]
    [TestCase("""{"a":10}""", "*from 1 to 9*")]
    [TestCase("""{"a":"3"}""", "*a whole number*")]
    [TestCase("""{}""", "*'a' is missing*")]
    [TestCase("""{"a":null}""", "*'a' is missing*")]
    [TestCase("""[1]""", "*no JSON object*")]
    [TestCase("""{"a":1""", "*no JSON object*")]
    public void Call_that_is_not_valid_is_not_carried_out_and_the_model_reads_why(string arguments, string reason)
    {
        var brain = new ScriptedBrain(ScriptedBrain.Call("count", arguments), ScriptedBrain.Call("cuont", "{}"), ScriptedBrain.Call("count", """{"a":3,"other":1}"""));
        using var world = new World(brain, new WorldOptions { Texts = new CharacterTexts { NotPossible = "Das geht nicht:", Done = "Erledigt." } });
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });
        List<int> calls = [];
        guard.Actions.Add("count", "Counts.", (int a) => calls.Add(a), new ActionParameter("a") { Minimum = 1, Maximum = 9 });

        guard.Ask("Count.");
        Play.Hear(world, guard);

        calls.Should().Equal(3);
        string[] results = [.. guard.History[0].Messages.Where(message => message.Role == ChatRole.Tool).Select(message => message.Content)];
        results[0].Should().StartWith("Das geht nicht:").And.Match(reason);
        results[1].Should().Be("Das geht nicht: There is no action 'cuont'.");
        results[2].Should().Be("Erledigt.");
        brain.Prompts.Last().Messages.Should().Contain(message => message.Content == results[0], "the model can correct it");
    }

    [Test]
    public void Exception_of_an_action_is_the_games_and_the_character_continues()
    {
        var brain = new ScriptedBrain(ScriptedBrain.Call("fall", "{}"), ChatMessage.Assistant("Ouch."));
        using var world = new World(brain);
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });
        guard.Actions.Add("fall", "Falls.", new Action(() => throw new TimeZoneNotFoundException("the game's own")));

        guard.Ask("Fall.");
        FluentActions.Invoking(() => Play.Hear(world, guard)).Should().Throw<TimeZoneNotFoundException>();

        Play.Hear(world, guard).Should().Be("Ouch.");
        guard.History[0].Messages[2].Content.Should().Be("That failed.");
        guard.Ask("And now?");
        Play.Hear(world, guard).Should().Be("So be it.");
    }

    [Test]
    public void Frame_without_time_runs_one_action_and_the_next_frame_that_of_another_character()
    {
        var brain = new ScriptedBrain([.. Enumerable.Repeat(ScriptedBrain.Call("wave", "{}"), 2)]);
        using var world = new World(brain);
        List<string> waves = [];
        Character[] characters = [.. ((string[])["Cora", "Nico"]).Select(name => world.AddCharacter(new CharacterOptions { Name = name }))];
        foreach (Character character in characters)
        {
            character.Actions.Add("wave", "Waves.", () => waves.Add(character.Name));
            character.Ask("Wave.");
        }

        SpinWait.SpinUntil(() => Array.TrueForAll(characters, character => character.State == CharacterState.Acting), TimeSpan.FromSeconds(30)).Should().BeTrue();

        world.Update(TimeSpan.Zero).Should().Be(1);
        waves.Should().HaveCount(1);
        world.Update(TimeSpan.Zero).Should().Be(1);
        waves.Should().BeEquivalentTo("Cora", "Nico");
    }

    [Test]
    public void Interruption_drops_an_action_that_waits_and_gives_it_a_result()
    {
        var brain = new ScriptedBrain(ScriptedBrain.Call("wave", "{}"));
        using var world = new World(brain);
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });
        bool hasWaved = false;
        guard.Actions.Add("wave", "Waves.", () => hasWaved = true);
        guard.Ask("Wave.");
        SpinWait.SpinUntil(() => guard.State == CharacterState.Acting, TimeSpan.FromSeconds(30)).Should().BeTrue();

        guard.Interrupt();
        guard.Ask("Why not?");
        Play.Hear(world, guard);

        hasWaved.Should().BeFalse();
        guard.History[0].Messages.Select(message => (message.Role, message.Content)).Should().Equal(
            (ChatRole.User, "Wave."), (ChatRole.Assistant, ""), (ChatRole.Tool, "..."), (ChatRole.Assistant, ""));
    }

    [Test]
    public void Character_that_only_acts_must_speak_in_the_end()
    {
        var brain = new ScriptedBrain([.. Enumerable.Repeat(ScriptedBrain.Call("wave", "{}"), 9)]);
        using var world = new World(brain);
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico", MaxActions = 2 });
        int waves = 0;
        guard.Actions.Add("wave", "Waves.", () => { waves++; });

        guard.Ask("Wave.", ToolChoice.Required);
        Play.Hear(world, guard);

        waves.Should().Be(2);
        brain.Prompts.Select(prompt => prompt.Options.ToolChoice).Should().Equal(ToolChoice.Required, ToolChoice.Auto, ToolChoice.None);
        guard.History[0].Messages[^1].ToolCalls.Should().BeEmpty();
    }

    [Test]
    public void Schema_is_that_of_the_signature()
    {
        var brain = new ScriptedBrain();
        using var world = new World(brain);
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });
        guard.Actions.Add(
            "give", "Gives coins.", (string to, int coins, Mood? mood, double? share) => { },
            new ActionParameter("to", "To whom") { Choices = ["Cora", "Zoë"] }, new ActionParameter("coins") { Minimum = 1 }, "mood", new ActionParameter("share") { Maximum = 0.5 });

        guard.Ask("Give.");
        Play.Hear(world, guard);

        ToolDefinition tool = brain.Prompts.Single().Options.Tools.Single();
        tool.Description.Should().Be("Gives coins.");
        tool.Parameters.Should().Be(
            """
            {"type":"object","properties":{"to":{"type":"string","description":"To whom","enum":["Cora","Zo\u00EB"]},"coins":{"type":"integer","minimum":1},"mood":{"type":"string","enum":["Calm","Angry"]},"share":{"type":"number","maximum":0.5}},"required":["to","coins"],"additionalProperties":false}
            """);
    }

    [Test]
    public void Actions_that_are_not_valid_are_refused()
    {
        var actions = new CharacterActions();
        actions.Add("wave", "Waves.", () => { });
        Action[] wrong =
        [
            () => actions.Add("wave", "Waves.", () => { }),
            () => actions.Add("open door", "Opens.", () => { }),
            () => actions.Add("", "Opens.", () => { }),
            () => actions.Add("when", "Waits.", (DateTime time) => { }, "time"),
            () => actions.Add("sum", "Adds.", (int a, int b) => { }, "a", "a"),
            () => actions.Add("sum", "Adds.", (int a) => { }, "ä"),
            () => actions.Add("sum", "Adds.", (int a) => { }, new ActionParameter("a") { IsOptional = true }),
            () => actions.Add("sum", "Adds.", (int a) => { }, new ActionParameter("a") { Choices = ["1"] }),
            () => actions.Add("sum", "Adds.", (int a) => { }, new ActionParameter("a") { Minimum = 2, Maximum = 1 }),
            () => actions.Add("sum", "Adds.", (int a) => { }, new ActionParameter("a") { Minimum = double.NaN }),
            () => actions.Add("say", "Says.", (string a) => { }, new ActionParameter("a") { Minimum = 1 }),
        ];

        foreach (Action add in wrong)
        {
            add.Should().Throw<ArgumentException>();
        }

        actions.Names.Should().Equal("wave");
        actions.Remove("wave").Should().BeTrue();
        actions.Remove("wave").Should().BeFalse();
    }

    [Test]
    public void Character_cannot_be_asked_for_an_action_that_it_does_not_have()
    {
        using var world = new World(new ScriptedBrain());
        Character guard = world.AddCharacter(new CharacterOptions { Name = "Nico" });

        guard.Invoking(it => it.Ask("Do something.", ToolChoice.Required)).Should().Throw<ArgumentException>();
        guard.Invoking(it => it.Ask("Wave.", ToolChoice.Tool("wave"))).Should().Throw<ArgumentException>();
        guard.Invoking(it => it.Ask("")).Should().Throw<ArgumentException>();
        guard.IsAnswering.Should().BeFalse();
    }
}

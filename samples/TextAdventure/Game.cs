using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload;
using MoeOffload.Chat;
using MoeOffload.Games;

namespace TextAdventure;

/// <summary>The loop of the game, in which nothing waits for the model, and the commands of the player.</summary>
internal sealed class Game(World world, Village village, Cast cast, string saveFile, Action<string> write)
{
    private const string Help = """
        look, go PLACE, bag, give THING to NAME, save, load, quit
        NAME, WORDS      talks to somebody who is here: Owl, tell me a story.
                         With "please", they do something for you: Owl, fetch me something, please.

        """;

    private static readonly TimeSpan s_frame = TimeSpan.FromSeconds(1.0 / 60);
    private static readonly TimeSpan s_actionTime = TimeSpan.FromMilliseconds(2);

    private Character? _speaker;
    private bool _isAtLineStart = true;
    private bool _hasQuit;

    /// <summary>Runs frames until the game is won, the player has quit, or there are no more lines.</summary>
    // Compiled once and completely: otherwise, the method that contains the loop is replaced while a frame runs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(ConcurrentQueue<string> lines, Func<bool> isOver, bool isEcho)
    {
        Say($"You want to reach the forest before night. Type help if you are lost.\n{village.Describe()}");
        long start = Stopwatch.GetTimestamp();
        for (int frame = 1; !_hasQuit && !village.IsWon; frame++)
        {
            bool hasEnded = isOver();
            UpdateFrame();
            if (_speaker is not { IsAnswering: true })
            {
                EndLine();
                if (lines.TryDequeue(out string? line))
                {
                    write(isEcho ? $"> {line}\n" : string.Empty);
                    Obey(line.Trim());
                }
                else if (hasEnded)
                {
                    return;
                }
            }

            TimeSpan rest = (frame * s_frame) - Stopwatch.GetElapsedTime(start);
            if (rest > TimeSpan.Zero)
            {
                Thread.Sleep(rest);
            }
        }
    }

    private void UpdateFrame()
    {
        try
        {
            world.Update(s_actionTime);
        }
        catch (Exception error) when (error is MoeOffloadException or NotSupportedException)
        {
            Say($"({_speaker?.Name} has lost the thread: {error.Message})");
        }

        foreach (string text in cast.Events)
        {
            EndLine();
            Say(text);
        }

        cast.ClearEvents();
        while (_speaker is not null && _speaker.TryRead(out string? words))
        {
            if (_isAtLineStart)
            {
                write($"{_speaker.Name}: ");
                words = words.TrimStart();
            }

            write(words);
            _isAtLineStart = false;
        }
    }

    private void Obey(string line)
    {
        string[] words = line.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case []:
                break;
            case ["help"]:
                Say(Help);
                break;
            case ["look"]:
                Say(village.Describe());
                break;
            case ["bag"]:
                Say(village.Bag.Count == 0 ? "Your bag is empty." : $"You have: {string.Join(", ", village.Bag)}.");
                break;
            case ["quit"]:
                _hasQuit = true;
                break;
            case ["save"]:
                Guarded(Save);
                break;
            case ["load"]:
                Guarded(Load);
                break;
            case ["go", .., var place]:
                Go(place);
                break;
            case ["give", .., var thing, "to", var name]:
                Give(thing, name);
                break;
            default:
                Talk(line);
                break;
        }
    }

    private void Go(string place)
    {
        if (!Village.Places.Contains(place))
        {
            Say($"There is no {place} here.");
        }
        else if (place == "forest" && !(village.Place == "gate" && village.GateIsOpen))
        {
            Say("The gate is between you and the forest, and it is closed.");
        }
        else
        {
            village.Place = place;
            Say(village.Describe());
        }
    }

    private void Give(string thing, string name)
    {
        if (cast.FindHere(name) is not { } character)
        {
            Say($"{name} is not here.");
        }
        else if (!village.Bag.Remove(thing))
        {
            Say($"You have no {thing}.");
        }
        else
        {
            village.GuardHasCake |= thing == "cake" && character.Name == "Nico";
            Say($"You give the {thing} to {character.Name}.");
            Ask(character, $"I give you a {thing}.", ToolChoice.None);
        }
    }

    private void Talk(string line)
    {
        string[] parts = line.Split([',', ':'], 2);
        if (parts.Length < 2 || cast.FindHere(parts[0].Trim()) is not { } character || parts[1].Trim() is not { Length: > 0 } words)
        {
            Say("Nobody answers. Say the name of somebody who is here first, such as: Owl, who are you?");
            return;
        }

        // A small model does not know when to act. A large one also acts by itself.
        Ask(character, words, words.Contains("please", StringComparison.OrdinalIgnoreCase) ? ToolChoice.Required : ToolChoice.Auto);
    }

    private void Ask(Character character, string words, ToolChoice choice)
    {
        _speaker = character;
        character.Ask(char.ToUpperInvariant(words[0]) + words[1..], choice);
    }

    private void Save()
    {
        var json = new JsonObject { ["village"] = village.ToJson(), ["characters"] = JsonNode.Parse(world.Save().ToJson()) };
        File.WriteAllText(saveFile, json.ToJsonString());
        Say("The game is saved.");
    }

    private void Load()
    {
        JsonNode json = JsonNode.Parse(File.ReadAllText(saveFile)) ?? throw new FormatException("The save is empty.");
        WorldSave characters = WorldSave.Parse(json["characters"]?.ToJsonString() ?? string.Empty);
        village.Restore(json["village"]);
        world.Restore(characters);
        Say($"The game is loaded.\n{village.Describe()}");
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or FormatException or InvalidOperationException or StateFormatException)
        {
            Say($"That did not work: {error.Message}");
        }
    }

    private void Say(string text) => write($"{text}\n");

    private void EndLine()
    {
        if (!_isAtLineStart)
        {
            write("\n");
            _isAtLineStart = true;
        }
    }
}

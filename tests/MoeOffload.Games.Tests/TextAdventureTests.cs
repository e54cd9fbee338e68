using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

/// <summary>The sample game, played from a script with the demo model.</summary>
[TestFixture]
public sealed class TextAdventureTests
{
    private static readonly string s_sample = Path.Combine(NativeBuild.Repository, "samples", "TextAdventure");

    [Test]
    public void Game_is_won()
    {
        string output = Play(Path.Combine(s_sample, "win.txt"), save: null);

        foreach (string line in (string[])
        [
            "Owl: ", "The owl flies up and brings a coin.", "The owl flies up and brings a feather.", "Cora takes the coin and gives you a honey cake.",
            "Nico shakes his head. His stomach rumbles.", "Nico opens the gate ", "You are in the forest at last",
        ])
        {
            output.Should().Contain(line);
        }
    }

    [Test]
    public void Game_is_saved_and_continued_in_another_process()
    {
        using var directory = new TemporaryDirectory();
        string[] lines = File.ReadAllLines(Path.Combine(s_sample, "win.txt"));
        int saved = Array.IndexOf(lines, "save");
        string first = directory.Write("first.txt", string.Join('\n', lines[..(saved + 1)]));
        string second = directory.Write("second.txt", string.Join('\n', ["load", "bag", .. lines[(saved + 1)..]]));

        Play(first, directory["save.json"]).Should().Contain("The game is saved.");
        string output = Play(second, directory["save.json"]);

        output.Should().Contain("The game is loaded.").And.MatchRegex("You have: (coin, feather|feather, coin)").And.Contain("THE END");
    }

    [Test]
    public void Save_that_is_damaged_is_told_and_the_game_goes_on()
    {
        using var directory = new TemporaryDirectory();
        string script = directory.Write("script.txt", "load\nlook\n");

        foreach (string save in (string[])["", "{}", """{"village":{}}""", "\u0000"])
        {
            directory.Write("save.json", save);
            Play(script, directory["save.json"]).Should().Contain("That did not work: ").And.Contain("> look\nYou are on the square.");
        }
    }

    private static string Play(string script, string? save)
    {
        using var directory = new TemporaryDirectory();
        PeerResult result = DotNet.Run(
            directory.Path,
            [
                Path.Combine(s_sample, "bin", "Release", "net10.0", "TextAdventure.dll"), "--model", DemoModel.Path, "--seed", "1", "--script", script,
                "--save", save ?? directory["adventure.json"],
            ]);
        result.ExitCode.Should().Be(0, result.Errors);
        return result.Text;
    }
}

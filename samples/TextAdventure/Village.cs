using System.Text.Json.Nodes;

namespace TextAdventure;

/// <summary>What can be found in the tree.</summary>
internal enum Thing
{
    Coin,
    Feather,
}

/// <summary>What changes in the game. The characters' actions change it, and so does the player.</summary>
internal sealed class Village
{
    private static readonly string[] s_places = ["square", "bakery", "gate", "forest"];

    /// <summary>Gets or sets where the player is.</summary>
    public string Place { get; set; } = "square";

    /// <summary>Gets what the player has.</summary>
    public List<string> Bag { get; } = [];

    /// <summary>Gets what the owl has brought.</summary>
    public List<Thing> Fetched { get; } = [];

    public bool GuardHasCake { get; set; }

    public bool GateIsOpen { get; set; }

    public bool IsWon => Place == "forest";

    public static IReadOnlyList<string> Places => s_places;

    /// <summary>Describes where the player is.</summary>
    public string Describe() => Place switch
    {
        "square" => "You are on the square. An old owl sits in a tree. From here, you can go to the bakery and to the gate.",
        "bakery" => "You are in the bakery, where it smells of honey. Cora the baker looks up.",
        "gate" => $"You are at the gate, which is {(GateIsOpen ? "open. Behind it is the forest" : "closed")}. Nico the guard stands beside it.",
        _ => "You are in the forest at last, and the stars are out. THE END",
    };

    /// <summary>Returns what changes, as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["place"] = Place,
        ["bag"] = new JsonArray([.. Bag.Select(thing => (JsonNode)thing)]),
        ["fetched"] = new JsonArray([.. Fetched.Select(thing => (JsonNode)thing.ToString())]),
        ["guardHasCake"] = GuardHasCake,
        ["gateIsOpen"] = GateIsOpen,
    };

    /// <summary>Restores what <see cref="ToJson"/> has returned.</summary>
    /// <exception cref="FormatException">The JSON is not a village.</exception>
    public void Restore(JsonNode? json)
    {
        try
        {
            string place = (string)json!["place"]!;
            string[] bag = [.. json["bag"]!.AsArray().Select(thing => (string)thing!)];
            Thing[] fetched = [.. json["fetched"]!.AsArray().Select(thing => Enum.Parse<Thing>((string)thing!))];
            (bool hasCake, bool isOpen) = ((bool)json["guardHasCake"]!, (bool)json["gateIsOpen"]!);
            (Place, GuardHasCake, GateIsOpen) = (s_places.Contains(place) ? place : throw new FormatException($"There is no place '{place}'."), hasCake, isOpen);
            Bag.Clear();
            Bag.AddRange(bag);
            Fetched.Clear();
            Fetched.AddRange(fetched);
        }
        catch (Exception error) when (error is NullReferenceException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException("The village in the save is damaged.", error);
        }
    }
}

using MoeOffload.Games;

namespace TextAdventure;

/// <summary>The characters, and what they can do. Each action changes the village in a frame of the game.</summary>
internal sealed class Cast
{
    public const string Knowledge = "There is a village with a square, a bakery and a gate. A traveler wants to leave through the gate.";

    private readonly Village _village;
    private readonly List<string> _events = [];
    private readonly Dictionary<string, (Character Character, string Place)> _characters = new(StringComparer.OrdinalIgnoreCase);

    public Cast(World world, Village village, uint? seed)
    {
        _village = village;
        Character owl = Add("Owl", "square", "You are an old owl in a tree. You tell stories and know sums.");
        Character baker = Add("Cora", "bakery", "You are Cora, the baker. You like jokes and coins.");
        Character guard = Add("Nico", "gate", "You are Nico, the guard. You say little, and you are hungry.");
        owl.Actions.Add("fetch", "Brings the traveler a thing from the top of the tree.", (Thing thing) => Fetch(thing), "thing");
        baker.Actions.Add("sell_cake", "Gives the traveler a honey cake for a coin.", SellCake);
        guard.Actions.Add(
            "open_gate", "Opens the gate for the traveler.", (string how) => OpenGate(how), new ActionParameter("how") { Choices = ["slowly", "with a sigh", "with a smile"] });

        Character Add(string name, string place, string persona)
        {
            Character character = world.AddCharacter(new CharacterOptions
            {
                Name = name,
                Persona = persona,
                MaxTokens = 120,
                MaxActions = 1,
                Sampling = SamplerPresets.Terse with { Seed = seed },
            });
            _characters.Add(name, (character, place));
            return character;
        }
    }

    /// <summary>Gets what has happened since the last frame.</summary>
    public IReadOnlyList<string> Events => _events;

    /// <summary>Finds a character that is where the player is.</summary>
    public Character? FindHere(string name) => _characters.TryGetValue(name, out (Character Character, string Place) found) && found.Place == _village.Place ? found.Character : null;

    /// <summary>Forgets what has happened.</summary>
    public void ClearEvents() => _events.Clear();

    private string Fetch(Thing thing)
    {
        if (_village.Fetched.Count == 2)
        {
            return Happens("The owl looks into its nest, but nothing is left.");
        }

        // There is one of each.
        Thing brought = _village.Fetched.Contains(thing) ? (thing == Thing.Coin ? Thing.Feather : Thing.Coin) : thing;
        _village.Fetched.Add(brought);
        _village.Bag.Add(brought == Thing.Coin ? "coin" : "feather");
        return Happens($"The owl flies up and brings a {_village.Bag[^1]}.");
    }

    private string SellCake()
    {
        if (!_village.Bag.Remove("coin"))
        {
            return Happens("Cora shows her empty hand. A cake costs a coin.");
        }

        _village.Bag.Add("cake");
        return Happens("Cora takes the coin and gives you a honey cake.");
    }

    private string OpenGate(string how)
    {
        if (!_village.GuardHasCake)
        {
            return Happens("Nico shakes his head. His stomach rumbles.");
        }

        _village.GateIsOpen = true;
        return Happens($"Nico opens the gate {how}.");
    }

    private string Happens(string text)
    {
        _events.Add(text);
        return text;
    }
}

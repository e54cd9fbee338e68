namespace MoeOffload.Measurement.Benches;

/// <summary>Contains the default texts of <see cref="QualityBench"/>.</summary>
internal static class QualityText
{
    /// <summary>Gets the prompts that are continued greedily.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "The lighthouse keeper opened the door and saw",
        "Water boils at a lower temperature on a mountain because",
        "To sort a list of numbers, first",
        "Tom had four apples and gave one to Mia. Now he has",
    ];

    /// <summary>Contains paragraphs of prose on several subjects, for perplexity and logits.</summary>
    public const string Default = """
        The old harbour wakes before the town does. At four in the morning the first boats come in, low in the water, and the gulls that
        slept on the breakwater rise all at once. Men and women in yellow coats carry crates of herring up the stone steps, set them down
        on the wet boards of the hall, and go back for more. Nobody says much. By six the auction is over, the ice has been shovelled, and
        the smell of coffee comes from the window of the little house that used to be the customs office.

        A tide is a long wave. The moon pulls at the sea on the near side of the earth a little more than at the earth itself, and at the
        earth a little more than at the sea on the far side, so that the water stands high in two places and low between them. As the
        earth turns beneath, each coast passes through both, and there are two high tides a day. The sun does the same with less than half
        the strength. When both pull in one line, at new moon and at full moon, the tides are large; when they pull at right angles, the
        tides are small.

        "You said the map was complete," said Ada. She had spread it over the whole table, and held its corners down with three cups and a
        stone.

        "It is complete," her uncle answered. "It shows every island that I have seen."

        "Then what is this?" Her finger lay on a spot of blue where there was nothing, no line, no name, only a hole of the size of a pin.
        He put on his glasses and looked at it for a long time. Then he laughed. "That," he said, "is where I held the compass."

        To bake a plain loaf, mix five hundred grams of flour with three hundred and fifty grams of water, ten grams of salt and a little
        yeast. Wait for an hour, then stretch the dough from each side and fold it over itself. Do this three times. Shape it, let it rest
        in a floured basket until it has grown by half, and bake it in a very hot oven, the first twenty minutes under a lid. The crust
        should sing when it comes out: it cools faster than the crumb, and cracks.

        A program that sorts a list must at some point compare its items. If all it may do is to ask which of two items is larger, each
        answer can at best halve the number of orders that are still possible. There are as many orders as there are ways to shuffle the
        list, and so the number of questions grows as the length of the list times its logarithm. Merge sort comes close to that bound: it
        cuts the list in two, sorts each half, and joins them by always taking the smaller of the two front items.

        In the year in which the bridge was built the river froze twice. The engineer, who came from the south and had never seen ice on
        moving water, walked out on it each morning with a stick, as if it were his own work that he had to inspect. The piers stood in the
        white plain like chimneys of a drowned village. In spring the ice went out in one night, with a noise that was heard in the next
        valley, and when it was over one pier had moved by the breadth of a hand. They took it down to the ground and began again.

        A mixture of experts is a neural network in which most of the weights rest most of the time. For each token a small part, called the
        router, looks at the state of the network and chooses a few of many blocks of equal shape. Only these are computed, and their
        results are added, each with the weight that the router gave it. The network can thus know a great deal and still answer quickly;
        what it needs is memory, since one cannot say in advance which of its blocks the next token will ask for.
        """;
}

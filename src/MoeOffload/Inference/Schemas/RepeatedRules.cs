using System.Globalization;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Writes repetitions. llama.cpp's own are limited, so that long ones consist of blocks. At most two ways to read the same text remain open at a
/// time.
/// </summary>
internal static class RepeatedRules
{
    private const int Block = 1_000;

    /// <summary>Returns parts that match a symbol a number of times.</summary>
    public static IEnumerable<GrammarSymbol> Write(GrammarBuilder builder, GrammarSymbol symbol, int least, int? most)
    {
        foreach (GrammarSymbol part in Exactly(builder, symbol, least))
        {
            yield return part;
        }

        if (most is null)
        {
            yield return symbol with { Text = $"{symbol.Text}*" };
        }
        else if (most > least)
        {
            yield return AtMost(builder, symbol, most.Value - least);
        }
    }

    private static IEnumerable<GrammarSymbol> Exactly(GrammarBuilder builder, GrammarSymbol symbol, int count)
    {
        if (count >= Block)
        {
            GrammarSymbol block = builder.AddNew("b", [Times(symbol, $"{Block}")]);
            foreach (GrammarSymbol part in Exactly(builder, block, count / Block))
            {
                yield return part;
            }
        }

        if (count % Block > 0)
        {
            yield return Times(symbol, string.Create(CultureInfo.InvariantCulture, $"{count % Block}"));
        }
    }

    private static GrammarSymbol AtMost(GrammarBuilder builder, GrammarSymbol symbol, int count)
    {
        if (count < Block)
        {
            return Times(symbol, string.Create(CultureInfo.InvariantCulture, $"0,{count}"));
        }

        // What is less than a block, or a block and then what is left.
        int size = count >= Block * Block ? Block * Block : Block;
        GrammarSymbol less = AtMost(builder, symbol, size - 1);
        GrammarSymbol[] block = [.. Exactly(builder, symbol, size)];
        GrammarSymbol rest = count % size == 0 ? GrammarSymbol.Terminal("\"\"") : AtMost(builder, symbol, count % size);
        for (int i = 0; i < count / size; i++)
        {
            rest = builder.AddNew("r", [less], [.. block, rest]);
        }

        return rest;
    }

    private static GrammarSymbol Times(GrammarSymbol symbol, string times) => symbol with { Text = $"{symbol.Text}{{{times}}}" };
}

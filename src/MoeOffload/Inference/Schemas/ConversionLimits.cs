using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Limits the work on several schemas, and the size of their rules together, so that many schemas or hostile ones neither take long nor result in a
/// grammar that is too large.
/// </summary>
internal sealed class ConversionLimits
{
    private const int MostSchemas = 4;

    private long _work = SchemaExpander.MaxWork;
    private int _length = GrammarReader.MaxLength;
    private int _symbols = GrammarReader.MaxSymbols;

    /// <summary>Creates the limits of the tools of a chat, which leave space for what is around their rules, and for rules that allow everything.</summary>
    public static ConversionLimits OfTools(int count) => new()
    {
        _work = SchemaExpander.MaxWork * Math.Min(count, MostSchemas),
        _length = GrammarReader.MaxLength / 2,
        _symbols = GrammarReader.MaxSymbols / 2,
    };

    /// <summary>Gets the budget of the next conversion.</summary>
    public WorkBudget Begin() => new(Math.Min(SchemaExpander.MaxWork, _work));

    /// <summary>Ends a conversion.</summary>
    /// <param name="work">Its budget.</param>
    public void End(WorkBudget work) => _work = Math.Max(_work - work.Spent, 0);

    /// <summary>Takes the space for rules.</summary>
    /// <exception cref="SchemaLimitException">There is too little space left.</exception>
    public void Take(int length, int symbols)
    {
        if (length > _length || symbols > _symbols)
        {
            throw new SchemaLimitException("its grammar is too large beside those of the other schemas; use fewer or simpler schemas, and shorter repetitions");
        }

        _length -= length;
        _symbols -= symbols;
    }
}

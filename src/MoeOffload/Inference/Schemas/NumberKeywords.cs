using System.Numerics;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Reads the keywords of numbers, whose bounds can have any size.</summary>
internal sealed class NumberKeywords(CaseContext context, SchemaNode schema)
{
    private const int MaxLength = 400;

    private static readonly Dictionary<string, (BigInteger Least, BigInteger Most)> s_formats = new(StringComparer.Ordinal)
    {
        ["int8"] = (sbyte.MinValue, sbyte.MaxValue),
        ["uint8"] = (0, byte.MaxValue),
        ["int16"] = (short.MinValue, short.MaxValue),
        ["uint16"] = (0, ushort.MaxValue),
        ["int32"] = (int.MinValue, int.MaxValue),
        ["uint32"] = (0, uint.MaxValue),
        ["int64"] = (long.MinValue, long.MaxValue),
        ["uint64"] = (0, ulong.MaxValue),
    };

    /// <summary>Returns the facts with those of the schema.</summary>
    public NumberFacts Add(NumberFacts facts)
    {
        bool isOpenBelow = schema.Get("exclusiveMinimum") is { ValueKind: JsonValueKind.True };
        bool isOpenAbove = schema.Get("exclusiveMaximum") is { ValueKind: JsonValueKind.True };
        facts = Number("minimum") is { } least ? facts.From(least, isOpenBelow) : facts;
        facts = Number("maximum") is { } most ? facts.To(most, isOpenAbove) : facts;
        facts = Number("exclusiveMinimum") is { } above ? facts.From(above, isOpen: true) : facts;
        facts = Number("exclusiveMaximum") is { } below ? facts.To(below, isOpen: true) : facts;
        if (schema.Text("format") is { } format && s_formats.TryGetValue(format, out (BigInteger Least, BigInteger Most) range))
        {
            facts = facts.From(ExactNumber.Of(range.Least), isOpen: false).To(ExactNumber.Of(range.Most), isOpen: false);
        }

        if (Number("multipleOf") is not { } divisor)
        {
            return facts;
        }

        if (divisor.Mantissa.Sign <= 0 || !NumberLanguage.CanDivide(divisor))
        {
            context.Refuse(schema, "multipleOf", "is not a positive number, or has too many digits to be enforced; use one of up to three digits");
            return facts;
        }

        return facts with { Divisors = facts.Divisors.Add(divisor) };
    }

    private ExactNumber? Number(string keyword)
    {
        ExactNumber? number = schema.Number(keyword);
        bool isFlag = keyword.StartsWith("exclusive", StringComparison.Ordinal) && schema.Get(keyword) is { ValueKind: JsonValueKind.True or JsonValueKind.False };
        if ((number is null && schema.Has(keyword) && !isFlag) || number?.Length > MaxLength)
        {
            context.Refuse(schema, keyword, "is not a number, or has too many digits to be enforced");
            return null;
        }

        return number;
    }
}

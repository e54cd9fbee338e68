using System.Globalization;
using System.Text;

namespace MoeOffload.Placement;

/// <summary>Parses llama.cpp's command-line notation for tensor placement.</summary>
internal sealed class PlacementReader(string text)
{
    private int _at;

    private bool AtEnd => _at == text.Length;

    /// <summary>Parses all rules, in order.</summary>
    /// <exception cref="PlacementException">The text is not in this notation.</exception>
    public List<PlacementRule> Read()
    {
        List<PlacementRule> rules = [];
        for (SkipSpace(); !AtEnd; SkipSpace())
        {
            var start = _at;
            var word = ReadWord();
            if (PlacementNotation.CpuMoe.Contains(word))
            {
                rules.AddRange(TensorPlacement.ExpertsToCpu().Rules);
            }
            else if (PlacementNotation.FirstLayersCpuMoe.Contains(word))
            {
                rules.AddRange(TensorPlacement.ExpertsToCpu(ReadLayerCount(word)).Rules);
            }
            else if (PlacementNotation.OverrideTensor.Contains(word))
            {
                SkipSpace();
                ReadRules(rules, word);
            }
            else if (word.StartsWith('-') && !word.Contains('='))
            {
                throw new PlacementException(
                    $"placement option '{word}' is unknown; the options are {string.Join(", ", PlacementNotation.OverrideTensor.Concat(PlacementNotation.CpuMoe).Concat(PlacementNotation.FirstLayersCpuMoe))}");
            }
            else
            {
                _at = start;
                ReadRules(rules, "a placement");
            }
        }

        return rules;
    }

    private int ReadLayerCount(string option)
    {
        SkipSpace();
        var word = ReadWord();
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= ExpertTensors.MaxLayers
            ? count
            : throw new PlacementException($"{option} needs a number of layers from 0 to {ExpertTensors.MaxLayers}, not '{word}'");
    }

    private void ReadRules(List<PlacementRule> rules, string option)
    {
        if (AtEnd)
        {
            throw new PlacementException($"{option} must be followed by REGEX=BUFFER");
        }

        if (QuotedWhole() is { } inner)
        {
            new PlacementReader(inner).ReadRuleList(rules, inner.Length);
            return;
        }

        ReadRuleList(rules, EndOfValue());
    }

    // A value that was copied from a command line may be in a shell's quotes as a whole.
    private string? QuotedWhole()
    {
        var quote = text[_at];
        if (quote is not ('"' or '\''))
        {
            return null;
        }

        var end = text.IndexOf(quote, _at + 1);
        if (end < 0 || (end + 1 < text.Length && !char.IsWhiteSpace(text[end + 1])))
        {
            return null;
        }

        var inner = text[(_at + 1)..end];
        _at = end + 1;
        return inner;
    }

    private int EndOfValue()
    {
        var quoted = false;
        for (var i = _at; i < text.Length; i++)
        {
            if (quoted && text.AsSpan(i).StartsWith("\"\""))
            {
                i++;
            }
            else if (quoted)
            {
                quoted = text[i] != '"';
            }
            else if (text[i] == '"' && (i == _at || text[i - 1] is ',' or '='))
            {
                quoted = true;
            }
            else if (char.IsWhiteSpace(text[i]))
            {
                return i;
            }
        }

        return text.Length;
    }

    private void ReadRuleList(List<PlacementRule> rules, int end)
    {
        while (true)
        {
            var pattern = ReadPattern(end);
            var buffer = ReadBuffer(end);
            rules.Add(new PlacementRule(pattern, buffer));
            if (_at == end)
            {
                return;
            }

            _at++;
        }
    }

    private string ReadPattern(int end)
    {
        var rest = text.AsSpan(_at, end - _at);
        if (rest.StartsWith('"') && ReadQuoted(end, '=') is { } quoted)
        {
            return quoted;
        }

        var equals = PlacementNotation.IndexOfSeparator(rest);
        if (equals < 0)
        {
            // The pattern is unbalanced. Splitting it as llama.cpp does reports the pattern's own error.
            equals = rest.IndexOf('=');
        }

        if (equals < 0 || rest[equals] != '=')
        {
            throw new PlacementException($"'{rest[..(equals < 0 ? rest.Length : equals)]}' is not a placement rule; use REGEX=BUFFER, as in exps=CPU");
        }

        _at += equals + 1;
        return rest[..equals].ToString();
    }

    private string ReadBuffer(int end)
    {
        var rest = text.AsSpan(_at, end - _at);
        if (rest.StartsWith('"') && ReadQuoted(end, ',') is { } quoted)
        {
            return quoted;
        }

        var comma = rest.IndexOf(',');
        var buffer = rest[..(comma < 0 ? rest.Length : comma)].ToString();
        _at += buffer.Length;
        return buffer;
    }

    // Moves past the quotes and the equals sign, or to the comma or the end. Returns null if anything else follows the quotes.
    private string? ReadQuoted(int end, char follower)
    {
        var content = new StringBuilder();
        for (var i = _at + 1; i < end; i++)
        {
            if (text[i] != '"')
            {
                content.Append(text[i]);
            }
            else if (i + 1 < end && text[i + 1] == '"')
            {
                content.Append(text[i++]);
            }
            else if (i + 1 == end ? follower == ',' : text[i + 1] == follower)
            {
                _at = follower == '=' ? i + 2 : i + 1;
                return content.ToString();
            }
            else
            {
                return null;
            }
        }

        return null;
    }

    private string ReadWord()
    {
        var start = _at;
        while (!AtEnd && !char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        return text[start.._at];
    }

    private void SkipSpace()
    {
        while (!AtEnd && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }
    }
}

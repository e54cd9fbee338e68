using System.Globalization;

namespace MoeOffload.Chat;

/// <summary>Rejects templates that would overflow the stack of llama.cpp's template engine, which recurses for each nested part.</summary>
internal static class ChatTemplateGuard
{
    private const int MaxLength = 1 << 18;
    private const int MaxTagLength = 1 << 15;
    private const int MaxNesting = 200;

    /// <summary>Checks a template.</summary>
    /// <exception cref="ChatTemplateException">The template is too large or nested too deeply.</exception>
    public static void Check(string source)
    {
        if (source.Length > MaxLength)
        {
            throw TooLarge($"has {source.Length} characters", MaxLength);
        }

        for (int at = source.IndexOf('{', StringComparison.Ordinal); at >= 0 && at + 1 < source.Length; at = source.IndexOf('{', at))
        {
            at = source[at + 1] switch
            {
                '#' => EndOfComment(source, at),
                '{' or '%' => EndOfTag(source, at),
                _ => at + 1,
            };
        }
    }

    private static int EndOfComment(string source, int start)
    {
        int end = source.IndexOf("#}", start, StringComparison.Ordinal);
        return end < 0 ? source.Length : end + 2;
    }

    private static int EndOfTag(string source, int start)
    {
        char closing = source[start + 1] == '{' ? '}' : '%';
        int nesting = 0;
        for (int i = start + 2; i < source.Length; i++)
        {
            if (i - start > MaxTagLength)
            {
                throw TooLarge($"has a tag of more than {MaxTagLength} characters{Position(source, start)}", MaxTagLength);
            }

            switch (source[i])
            {
                case '"' or '\'':
                    i = EndOfText(source, i);
                    break;
                case '(' or '[' or '{':
                    if (++nesting > MaxNesting)
                    {
                        throw TooLarge($"has too many nested parentheses{Position(source, i)}", MaxNesting);
                    }

                    break;
                case var end when end == closing && nesting == 0 && i + 1 < source.Length && source[i + 1] == '}':
                    return i + 2;
                case ')' or ']' or '}':
                    nesting = Math.Max(nesting - 1, 0);
                    break;
                default:
                    break;
            }
        }

        return source.Length;
    }

    private static int EndOfText(string source, int start)
    {
        for (int i = start + 1; i < source.Length; i++)
        {
            if (source[i] == '\\')
            {
                i++;
            }
            else if (source[i] == source[start])
            {
                return i;
            }
        }

        return source.Length;
    }

    private static string Position(string source, int at)
    {
        int line = source.AsSpan(0, at).Count('\n') + 1;
        int column = at - source.LastIndexOf('\n', Math.Max(at - 1, 0));
        return string.Create(CultureInfo.InvariantCulture, $" at line {line}, column {column}");
    }

    private static ChatTemplateException TooLarge(string what, int limit) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The chat template {what}; at most {limit} are allowed. Pass a simpler template to MoeModel.ParseChatTemplate."));
}

namespace MoeOffload.Placement;

/// <summary>Contains what the reader and the writer of llama.cpp's placement notation share.</summary>
internal static class PlacementNotation
{
    public static readonly string[] OverrideTensor = ["-ot", "--override-tensor"];
    public static readonly string[] CpuMoe = ["--cpu-moe", "-cmoe"];
    public static readonly string[] FirstLayersCpuMoe = ["--n-cpu-moe", "-ncmoe"];

    /// <summary>
    /// Gets the index of the first comma or equals sign outside parentheses, brackets and braces, or -1 if there is none. llama.cpp splits
    /// inside them too, but then rejects the parts, so that everything it accepts is read in the same way here.
    /// </summary>
    public static int IndexOfSeparator(ReadOnlySpan<char> text)
    {
        var depth = 0;
        var inBrackets = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\':
                    i++;
                    break;
                case ']' when inBrackets:
                    inBrackets = false;
                    break;
                case '[':
                    inBrackets = true;
                    break;
                case '(' or '{' when !inBrackets:
                    depth++;
                    break;
                case ')' or '}' when !inBrackets:
                    depth--;
                    break;
                default:
                    if (depth == 0 && !inBrackets && text[i] is ',' or '=')
                    {
                        return i;
                    }

                    break;
            }
        }

        return -1;
    }
}

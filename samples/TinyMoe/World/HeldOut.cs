namespace TinyMoe.World;

/// <summary>Determines the combinations that are held out of the training data for the exam.</summary>
internal static class HeldOut
{
    /// <summary>Determines whether a pair of words of a story is held out, such as its hero and its thing: one in sixteen pairs.</summary>
    public static bool IsPair(string first, string second) => SplitMix.Hash($"{first}+{second}") % 16 == 0;

    /// <summary>Determines whether a question about a fact is held out: one in six.</summary>
    public static bool IsAsking(string opening, string question) => SplitMix.Hash($"{opening}|{question}") % 6 == 0;

    /// <summary>
    /// Determines whether a pair of numbers is held out for an operation: one in ten. The mirrored pair (6 + 7 for 7 + 6; 13 - 6 for 13 - 7)
    /// is not held out with it.
    /// </summary>
    public static bool IsSum(char operation, int a, int b)
    {
        int mirror = operation == '-' ? a - b : b;
        (int, int) other = operation == '-' ? (a, mirror) : (b, a);
        ulong Hash(int x, int y) => SplitMix.Hash($"{operation}{x},{y}");
        return Hash(a, b) % 10 == 0 && (a, b) != other && (Hash(other.Item1, other.Item2) % 10 != 0 || b < mirror);
    }
}

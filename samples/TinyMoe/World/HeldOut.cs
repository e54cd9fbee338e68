namespace TinyMoe.World;

/// <summary>The combinations that training never sees, for the exam.</summary>
internal static class HeldOut
{
    /// <summary>Two words of a story, such as its hero and the thing that it is about: one in sixteen pairs.</summary>
    public static bool IsPair(string first, string second) => SplitMix.Hash($"{first}+{second}") % 16 == 0;

    /// <summary>A way to ask for a fact: one in six.</summary>
    public static bool IsAsking(string opening, string question) => SplitMix.Hash($"{opening}|{question}") % 6 == 0;

    /// <summary>
    /// Two numbers under an operation: one in ten. Their mirror image (6 + 7 for 7 + 6; 13 - 6 for 13 - 7) is not held out with them.
    /// </summary>
    public static bool IsSum(char operation, int a, int b)
    {
        int mirror = operation == '-' ? a - b : b;
        (int, int) other = operation == '-' ? (a, mirror) : (b, a);
        ulong Hash(int x, int y) => SplitMix.Hash($"{operation}{x},{y}");
        return Hash(a, b) % 10 == 0 && (a, b) != other && (Hash(other.Item1, other.Item2) % 10 != 0 || b < mirror);
    }
}

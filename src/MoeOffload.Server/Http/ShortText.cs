namespace MoeOffload.Server.Http;

/// <summary>Shortens texts of clients that messages repeat.</summary>
internal static class ShortText
{
    /// <summary>Returns a text, or its beginning and an ellipsis if it is longer than a number of characters.</summary>
    public static string Of(string text, int length) => text.Length > length ? string.Concat(text.AsSpan(0, length), "…") : text;
}

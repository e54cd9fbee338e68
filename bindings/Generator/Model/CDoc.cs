namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A comment as plain text, lines separated by a line feed; empty where there is none.</summary>
internal sealed record CDoc(string Summary, string Returns = "")
{
    public static CDoc None { get; } = new("");

    public bool IsEmpty => Summary.Length == 0 && Returns.Length == 0;
}

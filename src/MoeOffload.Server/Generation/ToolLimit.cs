using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Limits the number of tools of a request. Each schema is converted to a grammar, which can take up to seconds.</summary>
internal static class ToolLimit
{
    private const int Most = 512;

    /// <summary>Checks the number of tools.</summary>
    /// <exception cref="ApiException">There are too many.</exception>
    public static IReadOnlyList<JsonFields> Check(IReadOnlyList<JsonFields> tools) => tools.Count <= Most
        ? tools
        : throw ApiException.Invalid($"'tools' has {tools.Count} tools, but the server accepts at most {Most}. Send those that the question needs.", "tools");
}

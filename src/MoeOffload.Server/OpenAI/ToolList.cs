using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>Represents the tools of a request.</summary>
/// <param name="Definitions">The tools that the model can call.</param>
/// <param name="Choice">Whether the model calls them.</param>
/// <param name="Custom">The names of those that are custom tools, whose input is a text.</param>
internal sealed record ToolList(IReadOnlyList<ToolDefinition> Definitions, ToolChoice Choice, IReadOnlySet<string> Custom);

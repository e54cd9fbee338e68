namespace MoeOffload.Server.OpenAI;

/// <summary>The endpoints of OpenAI's API.</summary>
internal static class OpenAIEndpoints
{
    public static void Map(ApiRoutes routes)
    {
    }
}

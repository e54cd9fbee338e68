using System.Reflection;

namespace MoeOffload.Server.OpenAI;

/// <summary>Identifies the version of the server that generated an answer.</summary>
internal static class Fingerprint
{
    public static string Value { get; } =
        $"moeoffload-{typeof(Fingerprint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"}";
}

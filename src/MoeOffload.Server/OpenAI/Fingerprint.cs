using System.Reflection;

namespace MoeOffload.Server.OpenAI;

/// <summary>What tells answers of one version of the server from those of another.</summary>
internal static class Fingerprint
{
    public static string Value { get; } =
        $"moeoffload-{typeof(Fingerprint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"}";
}

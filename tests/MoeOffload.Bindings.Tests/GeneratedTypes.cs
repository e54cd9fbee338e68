using System.Reflection;
using MoeOffload.Native.Generated;

namespace MoeOffload.Bindings.Tests;

/// <summary>The generated types and signatures, by reflection.</summary>
internal static class GeneratedTypes
{
    public static IReadOnlyList<Type> All { get; } =
        [.. typeof(LlamaApi).Assembly.GetTypes().Where(t => t.Namespace == typeof(LlamaApi).Namespace)];

    public static IReadOnlyList<MethodInfo> Functions { get; } =
        [.. All.SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static)).Where(m => m.Attributes.HasFlag(MethodAttributes.PinvokeImpl))];
}

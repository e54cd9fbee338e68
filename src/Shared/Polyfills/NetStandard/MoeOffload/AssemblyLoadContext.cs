using System.Reflection;

namespace System.Runtime.Loader;

/// <summary>Represents the load contexts of .NET Core, of which Mono and Unity have none.</summary>
internal sealed class AssemblyLoadContext
{
    private AssemblyLoadContext()
    {
    }

    public static AssemblyLoadContext? Default => null;

    public IEnumerable<Assembly> Assemblies { get; } = [];

    public static AssemblyLoadContext? GetLoadContext(Assembly assembly) => null;
}

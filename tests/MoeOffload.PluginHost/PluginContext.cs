using System.Reflection;
using System.Runtime.Loader;

namespace MoeOffload.PluginHost;

/// <summary>Loads a plugin and what it needs, as programs with plugins do.</summary>
/// <param name="plugin">The assembly of the plugin.</param>
/// <param name="fromMemory">Whether assemblies are read into memory, so that their files can be replaced meanwhile.</param>
internal sealed class PluginContext(string plugin, bool fromMemory) : AssemblyLoadContext("plugin")
{
    private readonly AssemblyDependencyResolver _resolver = new(plugin);

    public Assembly LoadPlugin() => LoadFile(plugin);

    protected override Assembly? Load(AssemblyName assemblyName) =>
        _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFile(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    private Assembly LoadFile(string path)
    {
        if (!fromMemory)
        {
            return LoadFromAssemblyPath(path);
        }

        using FileStream stream = File.OpenRead(path);
        return LoadFromStream(stream);
    }
}

using System.Reflection;
using MoeOffload.PluginHost;

// A program that knows nothing of what it loads. Arguments: context, memory or loadfrom; the assembly of a plugin; what the plugin gets.
Assembly plugin = args[0] switch
{
    "loadfrom" => Assembly.LoadFrom(args[1]),
    var kind => new PluginContext(args[1], fromMemory: kind == "memory").LoadPlugin(),
};
MethodInfo run = plugin.GetTypes().Single(type => type.Name == "PluginEntry").GetMethod("Run")!;
Console.Write(run.Invoke(null, [args[2]]));

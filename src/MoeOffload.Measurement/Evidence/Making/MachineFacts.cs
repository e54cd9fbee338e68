using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Machine;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Describes the machine and the build for <c>machine.json</c>. The names of the machine and of its user are not included.</summary>
internal static class MachineFacts
{
    private static readonly Assembly s_tool = typeof(MachineFacts).Assembly;

    /// <summary>Describes the machine.</summary>
    /// <param name="load">The options for loading, which set the directory of the native libraries and the devices.</param>
    /// <exception cref="MoeOffloadException">The native libraries are missing.</exception>
    public static JsonObject Ask(ModelOptions load)
    {
        RuntimeInfo runtime = MoeModel.DescribeRuntime(load);
        using NvidiaDriver? driver = NvidiaDriver.TryOpen();
        string version = s_tool.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? string.Empty;
        string[] processors = CpuInfo();
        return new JsonObject
        {
            ["measured_at"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture),
            ["cpu"] = ValueOf(processors, "model name") ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString(),
            ["cores"] = Cores(processors),
            ["processors"] = Environment.ProcessorCount,
            ["memory_bytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            ["system"] = System(),
            ["kernel"] = Environment.OSVersion.Version.ToString(),
            ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            ["dotnet"] = RuntimeInformation.FrameworkDescription,
            ["llama_cpp"] = runtime.LlamaCppVersion,
            ["features"] = Json.Array(runtime.Features),
            ["tool_version"] = version.Split('+')[0],
            ["git_commit"] = version.Split('+') is [_, var commit] ? commit : "unknown",
            ["source_state"] = s_tool.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(item => item.Key == "SourceState")?.Value ?? "unknown",
            ["nvidia_driver"] = driver?.ReadVersion(),
            ["devices"] = Json.Array(MoeModel.ListDevices(load).Select(device => new JsonObject
            {
                ["name"] = device.Name,
                ["description"] = device.Description,
                ["kind"] = KindOf(device.Kind),
                ["total_bytes"] = device.TotalBytes,
            })),
            ["libraries"] = Json.Array(Directory.EnumerateFiles(runtime.Directory).Where(IsLibrary).Order(StringComparer.Ordinal).Select(file => new JsonObject
            {
                ["file"] = Path.GetFileName(file),
                ["bytes"] = new FileInfo(file).Length,
                ["sha256"] = Hash(file),
            })),
        };
    }

    /// <summary>Returns the name of a kind of device in files.</summary>
    public static string KindOf(DeviceKind kind) => kind switch
    {
        DeviceKind.Gpu => "gpu",
        DeviceKind.IntegratedGpu => "integrated_gpu",
        DeviceKind.Rpc => "rpc",
        DeviceKind.Accelerator => "accelerator",
        _ => "cpu",
    };

    private static string[] CpuInfo()
    {
        const string File = "/proc/cpuinfo";
        return global::System.IO.File.Exists(File) ? global::System.IO.File.ReadAllLines(File) : [];
    }

    private static string? ValueOf(string[] lines, string name) => Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[^1].Trim();

    // A core is identified by its socket and its number in the socket. Several logical processors can belong to one core.
    private static int Cores(string[] lines)
    {
        var cores = new HashSet<(string, string)>();
        string socket = string.Empty;
        foreach (string line in lines)
        {
            socket = line.StartsWith("physical id", StringComparison.Ordinal) ? line : socket;
            if (line.StartsWith("core id", StringComparison.Ordinal))
            {
                cores.Add((socket, line));
            }
        }

        return cores.Count > 0 ? cores.Count : Environment.ProcessorCount;
    }

    private static string System()
    {
        const string File = "/etc/os-release";
        string? name = global::System.IO.File.Exists(File) ? global::System.IO.File.ReadLines(File).FirstOrDefault(line => line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal)) : null;
        return name?.Split('=', 2)[1].Trim('"') ?? RuntimeInformation.OSDescription;
    }

    private static bool IsLibrary(string path) => Path.GetExtension(path) is ".so" or ".dll" or ".dylib" || Path.GetFileName(path).Contains(".so.", StringComparison.Ordinal);

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Loads the native libraries of this process at the first use. They are never unloaded.</summary>
internal static unsafe class NativeRuntime
{
    private static readonly TimeSpan s_registerLimit = TimeSpan.FromSeconds(15);

    private static readonly Lock s_gate = new();
    private static readonly Lock s_serversGate = new();
    private static readonly HashSet<string> s_servers = new(StringComparer.Ordinal);
    private static readonly List<NativeBackend> s_backends = [];
    private static string? s_directory;
    private static bool s_bound;

    /// <summary>Gets the reasons why backends whose libraries were found are not in use, one line for each.</summary>
    public static IReadOnlyList<string> UnavailableBackends
    {
        get
        {
            lock (s_gate)
            {
                return [.. s_backends.Where(backend => backend.LoadError is not null && !IsCpu(backend.Name))
                    .Select(backend => $"{Path.GetFileName(backend.Path)}: {backend.LoadError}")];
            }
        }
    }

    /// <summary>Gets the directory that the libraries were loaded from, after <see cref="EnsureLoaded"/>.</summary>
    public static string LoadedFrom => Volatile.Read(ref s_directory)!;

    /// <summary>Gets llama.cpp's version.</summary>
    public static string Version => BindingsVersion.LlamaCpp;

    /// <summary>Gets llama.cpp's line about the features of its backends.</summary>
    public static string Features => Utf8.ToString(LlamaApi.llama_print_system_info());

    /// <summary>Gets the backend libraries that were found, whether or not they are in use.</summary>
    public static IReadOnlyList<NativeBackend> Backends
    {
        get
        {
            lock (s_gate)
            {
                return [.. s_backends];
            }
        }
    }

    /// <summary>Loads the libraries and backends. Later calls only check that the directory is the same.</summary>
    /// <exception cref="NativeLibraryException">
    /// The libraries are missing, damaged, of a different version, or have been loaded from another directory.
    /// </exception>
    public static void EnsureLoaded(string? explicitDirectory, ILogger logger)
    {
        lock (s_gate)
        {
            if (s_directory is null)
            {
                Load(explicitDirectory, logger);
            }
            else if (explicitDirectory is not null
                && !NativeLibraries.PathComparer.Equals(Path.TrimEndingDirectorySeparator(Path.GetFullPath(explicitDirectory)), s_directory))
            {
                throw new NativeLibraryException(
                    $"The native libraries are already loaded from {s_directory}, and a process can load them only once. "
                    + $"Set ModelOptions.NativeLibraryDirectory to '{explicitDirectory}' before the first model is loaded.");
            }
        }
    }

    /// <summary>Registers the devices of an RPC server, once in a process.</summary>
    /// <exception cref="PlacementException">The server cannot be reached, or was lost earlier in this process.</exception>
    public static void AddServer(string endpoint)
    {
        if (RpcServers.IsLost(endpoint))
        {
            throw new PlacementException(
                $"RPC server '{endpoint}' was lost earlier in this process, and llama.cpp cannot connect to it again: "
                + "start the server under another port or host name, or restart this process.");
        }

        lock (s_serversGate)
        {
            CheckAnswers(endpoint);
            if (s_servers.Contains(endpoint))
            {
                return;
            }

            if (!RpcServers.Run([endpoint], () => Register(endpoint), out string reason, s_registerLimit))
            {
                RpcServers.BlockNewConnections(
                    $"llama.cpp's RPC client has stopped responding since it connected to {endpoint} ({reason}), so no further connections are possible. Restart this process.");
                throw new PlacementException($"RPC server '{endpoint}' closed the connection: {reason}");
            }

            s_servers.Add(endpoint);
        }
    }

    // A server serves one client at a time, and lets at most one other wait, so it must not be queried while it serves this process.
    private static void CheckAnswers(string endpoint)
    {
        if (RpcServers.IsHeld(endpoint))
        {
            return;
        }

        try
        {
            RpcEndpoint.CheckAnswers(endpoint);
        }
        catch (PlacementException) when (RpcServers.IsHeld(endpoint))
        {
            // Another thread of this process was first.
        }
    }

    private static void Register(string endpoint)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        fixed (byte* text = Utf8.ToTerminated(endpoint, "An RPC server"))
        {
            moe_status status = ShimApi.moe_rpc_add_server(text, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new PlacementException(NativeError.Describe(
                    $"RPC server '{endpoint}' could not be added (is it a ggml-rpc-server of llama.cpp {BindingsVersion.LlamaCpp}?)", status, error));
            }
        }

        // The first query connects to the server. Meanwhile, llama.cpp holds a lock that all servers share.
        foreach (NativeDevice device in NativeDevice.All().Where(device => device.Kind == NativeDeviceKind.Rpc && device.Description == endpoint))
        {
            ggml_backend_buffer_type* type;
            ShimApi.moe_device_buffer_type(device.Pointer, 0, &type, error, NativeError.BufferSize);
        }
    }

    private static void Load(string? explicitDirectory, ILogger logger)
    {
        List<string> directories = NativeLibraries.SearchDirectories(explicitDirectory);
        string directory = NativeLibraries.Find(directories);
        if (!s_bound)
        {
            NativeLibraries.Bind(directory);
            s_bound = true;
        }

        CheckVersion(directory);
        AbortMonitor.Install();
        NativeLog.Install();
        using (NativeLog.Enter(logger))
        {
            LoadBackends([directory, .. directories.Where(other => other != directory)], logger);
            LlamaApi.llama_backend_init();
        }

        NativeLogMessages.Loaded(logger, BindingsVersion.LlamaCpp, directory);
        s_directory = directory;
    }

    private static void CheckVersion(string directory)
    {
        string version = Utf8.ToString(LlamaApi.llama_version());
        int shim = ShimApi.moe_shim_version();
        if (version != BindingsVersion.LlamaCpp || shim != ShimApi.MOE_SHIM_VERSION)
        {
            throw new NativeLibraryException(
                $"The native libraries in {directory} are llama.cpp {version} with shim {shim}, but this version of MoeOffload requires "
                + $"{BindingsVersion.LlamaCpp} with shim {ShimApi.MOE_SHIM_VERSION}. Reference a MoeOffload.Native package of the same "
                + "version, or run ./build.sh native again.");
        }
    }

    private static void LoadBackends(IReadOnlyList<string> directories, ILogger logger)
    {
        List<(string Name, string Path)> found = [.. NativeLibraries.Backends(directories)];

        // GPU backends come first, since the order of registration is the order of devices.
        foreach ((string name, string path) in found.Where(backend => !IsCpu(backend.Name)))
        {
            LoadBackend(name, path, logger);
        }

        List<(string Name, string Path, int Score)> cpus =
            [.. found.Where(backend => IsCpu(backend.Name)).Select(backend => (backend.Name, backend.Path, Score(backend.Name, backend.Path, logger)))];
        (string Name, string Path, int Score) best = cpus.DefaultIfEmpty().MaxBy(backend => backend.Score);
        if (best.Score <= 0 || !LoadBackend(best.Name, best.Path, logger))
        {
            throw new NativeLibraryException(
                $"No CPU backend for this machine was found in {directories[0]}: the package or build is incomplete, or was made for another "
                + "processor; run ./build.sh native, or reference MoeOffload.Native.Cpu."
                + string.Concat(s_backends.Where(backend => IsCpu(backend.Name)).Select(backend => $" {Path.GetFileName(backend.Path)}: {backend.LoadError}.")));
        }

        foreach ((string name, string path, int score) in cpus.Where(cpu => !s_backends.Exists(backend => backend.Path == cpu.Path)))
        {
            s_backends.Add(new NativeBackend(name, path, score > 0 ? $"{best.Name} suits this processor better" : "this processor lacks a feature that it requires"));
        }
    }

    private static bool IsCpu(string name) => name == "cpu" || name.StartsWith("cpu-", StringComparison.Ordinal);

    private static int Score(string name, string path, ILogger logger)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        int score;
        fixed (byte* text = Utf8.ToTerminated(LongPath.ForNativeCode(path), "A library path"))
        {
            moe_status status = ShimApi.moe_backend_score(text, &score, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                Unavailable(name, path, NativeError.Reason(status, error), logger);
                return 0;
            }
        }

        return score;
    }

    private static bool LoadBackend(string name, string path, ILogger logger)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        ggml_backend_reg* registry;
        fixed (byte* text = Utf8.ToTerminated(LongPath.ForNativeCode(path), "A library path"))
        {
            moe_status status = ShimApi.moe_backend_load(text, &registry, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                Unavailable(name, path, NativeError.Reason(status, error), logger);
                return false;
            }
        }

        if (registry == null)
        {
            Unavailable(name, path, "this machine lacks something that it requires, such as a driver", logger);
            return false;
        }

        s_backends.Add(new NativeBackend(name, path, LoadError: null));
        return true;
    }

    private static void Unavailable(string name, string path, string reason, ILogger logger)
    {
        string file = Path.GetFileName(path);
        s_backends.Add(new NativeBackend(name, path, reason));
        NativeLogMessages.BackendUnavailable(logger, file, reason);
    }
}

using System.Runtime.InteropServices;
using MoeOffload.Fixtures;

namespace MoeOffload.Package.Tests;

/// <summary>Runs programs for other platforms on this machine: Wine those for Windows, and QEMU those for another processor.</summary>
internal sealed class Emulator : IDisposable
{
    private readonly string _program;
    private readonly string[] _arguments;
    private readonly Dictionary<string, string> _environment = [];
    private readonly TemporaryDirectory _home = new();

    private Emulator(string program, params string[] arguments)
    {
        _program = program;
        _arguments = arguments;
    }

    /// <summary>Finds the emulator for a platform.</summary>
    /// <param name="platform">The platform, such as <c>win-x64</c>.</param>
    /// <exception cref="NotSupportedException">This machine has no emulator for it.</exception>
    public static Emulator For(string platform) => (platform, RuntimeInformation.OSArchitecture) switch
    {
        ("win-x64", Architecture.X64) when OperatingSystem.IsLinux() => Wine(),
        ("linux-arm64", not Architecture.Arm64) when OperatingSystem.IsLinux() => new Emulator(
            Find("QEMU (qemu-user)", "/usr/bin/qemu-aarch64", "/usr/bin/qemu-aarch64-static"), "-L", "/usr/aarch64-linux-gnu"),
        _ => throw new NotSupportedException($"Programs for {platform} cannot be run on this machine."),
    };

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Its path. Wine accepts the paths of this machine.</param>
    /// <param name="arguments">The command line.</param>
    public PeerResult Run(string program, params string[] arguments) => Peer.RunFile(_program, [.. _arguments, program, .. arguments], _environment);

    /// <summary>Ends Wine, and deletes its directory.</summary>
    public void Dispose()
    {
        if (_environment.ContainsKey("WINEPREFIX"))
        {
            Peer.RunFile(Find("Wine's server", "/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver", "/usr/bin/wineserver"), ["-k", "-w"], _environment);
        }

        _home.Dispose();
    }

    private static Emulator Wine()
    {
        var wine = new Emulator(Find("Wine (wine64)", "/usr/lib/wine/wine64", "/usr/bin/wine64", "/usr/bin/wine"));
        wine._environment["WINEPREFIX"] = wine._home["wine"];
        wine._environment["WINEDEBUG"] = "-all";
        wine._environment["WINEDLLOVERRIDES"] = "mshtml=;winedbg.exe="; // neither asks for a download nor debugs
        wine._environment["DOTNET_EnableWriteXorExecute"] = "0"; // with it, Wine 8 ends .NET when code is freed
        wine._environment["LC_ALL"] = "C.UTF-8"; // otherwise, file names are limited to ASCII
        return wine;
    }

    private static string Find(string what, params string[] paths) => Array.Find(paths, File.Exists)
        ?? throw new NotSupportedException($"{what} is missing: ./build.sh test --platforms says how to install it.");
}

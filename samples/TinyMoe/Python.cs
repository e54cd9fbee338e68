using System.Diagnostics;

namespace TinyMoe;

/// <summary>Runs the scripts next to this program, with a Python that has the modules that they import.</summary>
internal static class Python
{
    private const string Install = "sudo apt-get install python3-torch libopenblas0-openmp python3-matplotlib";

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">The file name of the script.</param>
    /// <param name="modules">The modules that the script imports, separated by commas.</param>
    /// <param name="arguments">The arguments of the script.</param>
    /// <exception cref="InvalidOperationException">No Python with these modules was found, or the script failed.</exception>
    public static void Run(string script, string modules, params IEnumerable<string> arguments)
    {
        // The first one could be a custom build without the system's packages.
        string probe = $"import sys, importlib.util; sys.exit(not all(map(importlib.util.find_spec, '{modules}'.split(','))))";
        string python = Array.Find(["python3", "/usr/bin/python3"], python => Start(python, "-c", probe) == 0)
            ?? throw new InvalidOperationException($"No python3 can import {modules}. Install them: {Install}");
        int exitCode = Start(python, [Path.Combine(AppContext.BaseDirectory, script), .. arguments]);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"{script} ended with exit code {exitCode}.");
        }
    }

    private static int Start(string python, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(python, arguments);

        // Threads that spin while waiting compete for cores, and memory that is returned to the system is cleared again in every step.
        start.Environment["OMP_NUM_THREADS"] = $"{Environment.ProcessorCount}";
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        start.Environment["MALLOC_MMAP_MAX_"] = "0";
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = $"{8L << 30}";
        try
        {
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}

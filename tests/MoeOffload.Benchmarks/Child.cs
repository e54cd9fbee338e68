using System.Diagnostics;

namespace MoeOffload.Benchmarks;

/// <summary>Starts this program again, to do something in a process of its own.</summary>
internal static class Child
{
    public static ProcessStartInfo Describe(params IReadOnlyList<string> arguments)
    {
        string program = Environment.ProcessPath!;
        bool isDotNet = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return new ProcessStartInfo(program, isDotNet ? [typeof(Child).Assembly.Location, .. arguments] : arguments);
    }
}

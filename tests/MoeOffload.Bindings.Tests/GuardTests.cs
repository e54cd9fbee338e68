using System.Diagnostics;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

/// <summary>What the shim's functions report when llama.cpp throws, and when it has called abort() before that.</summary>
[TestFixture]
[RequiresClang]
[RequiresNativeHeaders]
internal sealed class GuardTests
{
    private const string Program = """
        #include "moe_guard.h"
        #include <stdexcept>

        template <typename Body> void report(bool aborts, Body && body) {
            char text[64];
            const moe_status status = guarded(text, sizeof(text), [&]() -> moe_status { abort_seen = aborts; return body(); });
            std::printf("%d ", (int) status);
        }

        int main() {
            for (bool aborts : { false, true }) {
                report(aborts, []() -> moe_status { return MOE_STATUS_OK; });
                report(aborts, []() -> moe_status { throw std::runtime_error("an error"); });
                report(aborts, []() -> moe_status { throw std::bad_alloc(); });
                report(aborts, []() -> moe_status { throw 1; });
            }
        }
        """;

    [Test]
    public void Abort_is_reported_however_the_call_ends()
    {
        string folder = Directory.CreateTempSubdirectory("moe guard ü ").FullName;
        try
        {
            string source = Path.Combine(folder, "guard.cpp");
            string program = Path.Combine(folder, "guard.exe");
            File.WriteAllText(source, Program);
            Run("clang++", ["-std=c++17", .. Checkout.Headers!.Append(Checkout.Options.Shim).Select(folder => "-I" + folder), source, "-o", program]);

            Run(program, []).Trim().Should().Be("0 3 4 3 5 5 5 5", "what was being computed must not be used again after an abort (5)");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string program, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, errors.Result);
        return output;
    }
}

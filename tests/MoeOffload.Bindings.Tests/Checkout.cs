using System.Runtime.InteropServices;
using MoeOffload.Bindings.Generator;

namespace MoeOffload.Bindings.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Checkout
{
    private static readonly string s_root = GeneratorOptions.FindCheckout();

    public static GeneratorOptions Options { get; } = GeneratorOptions.ForCheckout(s_root);

    /// <summary>The folders with llama.cpp's headers, or null if there are none.</summary>
    public static IReadOnlyList<string>? Headers { get; } = FindHeaders();

    /// <summary>Where the native build installs its libraries.</summary>
    public static string Libraries { get; } = Path.Combine(s_root, "artifacts", "native", RuntimeInformation.RuntimeIdentifier);

    private static IReadOnlyList<string>? FindHeaders()
    {
        IReadOnlyList<string> headers = Environment.GetEnvironmentVariable("LLAMA_CPP_SOURCE_DIR") is string source
            ? GeneratorOptions.HeadersOf(source)
            : Options.Headers;
        return File.Exists(Path.Combine(headers[0], "llama.h")) ? headers : null;
    }
}

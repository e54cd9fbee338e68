using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Runs the clang compiler on a translation unit given as text.</summary>
internal sealed class ClangTool(string executable)
{
    /// <summary>Whether the executable is there and runs.</summary>
    public bool IsAvailable
    {
        get
        {
            try
            {
                Run("", [], ["--version"]);
                return true;
            }
            catch (GeneratorException)
            {
                return false;
            }
        }
    }

    /// <summary>What clang prints for the source with these options.</summary>
    /// <exception cref="GeneratorException">clang is missing, or reports an error.</exception>
    public byte[] Run(string source, IReadOnlyList<string> includeFolders, IReadOnlyList<string> options)
    {
        var start = new ProcessStartInfo(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        foreach (string argument in (string[])["-x", "c", "-std=c11", .. includeFolders.Select(f => "-I" + f), .. options, "-"])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Start(start);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        Task copy = process.StandardOutput.BaseStream.CopyToAsync(output);
        try
        {
            process.StandardInput.Write(source);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended early; its exit code and what it printed say why.
        }

        copy.Wait();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new GeneratorException($"clang refused the headers:\n{errors.Result}");
        }

        return output.ToArray();
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new GeneratorException(
                $"The compiler '{executable}', whose AST the bindings are made from, does not start: {e.Message}. " +
                "Install it (Debian, Ubuntu: apt-get install clang; Fedora: dnf install clang; macOS: xcode-select --install; " +
                "Windows: winget install LLVM.LLVM) or name it with --clang PATH.");
        }
    }
}

using System.Text;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Turns a shim status into text. Each caller wraps it in the exception of its domain.</summary>
internal static unsafe class NativeError
{
    /// <summary>The size of the buffer that every shim call is given for its error text, in bytes.</summary>
    public const int BufferSize = 1024;

    /// <summary>Says what failed, the shim's reason, and the last lines that llama.cpp logged about it.</summary>
    public static string Describe(string what, moe_status status, byte* error)
    {
        var text = new StringBuilder(what).Append(": ").Append(Reason(status, error));
        foreach (string line in NativeLog.TakeErrors())
        {
            text.AppendLine().Append("  llama.cpp: ").Append(line);
        }

        return text.ToString();
    }

    /// <summary>The shim's reason alone.</summary>
    public static string Reason(moe_status status, byte* error)
    {
        string reason = Utf8.ToString(error);
        return status switch
        {
            _ when reason.Length == 0 => status.ToString(),
            moe_status.MOE_STATUS_ABORTED => $"llama.cpp gave up ({WithoutFolders(reason)})",
            _ => reason,
        };
    }

    /// <summary>An abort's message, <c>/folders/of/the/build/file.cpp:12: reason</c>, from the file's name on.</summary>
    public static string WithoutFolders(string message)
    {
        int end = message.IndexOf(": ", StringComparison.Ordinal);
        int slash = end < 0 ? -1 : message.AsSpan(0, end).LastIndexOfAny('/', '\\');
        return message[(slash + 1)..];
    }
}

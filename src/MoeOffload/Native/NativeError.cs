using System.Text;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Converts a status of the shim to a message, which callers use in their exceptions.</summary>
internal static unsafe class NativeError
{
    /// <summary>The size of the buffer for the error message of a call to the shim, in bytes.</summary>
    public const int BufferSize = 1024;

    /// <summary>Creates a message that says what failed, with the shim's reason and the last messages that llama.cpp logged.</summary>
    public static string Describe(string what, moe_status status, byte* error)
    {
        var text = new StringBuilder(what).Append(": ").Append(Reason(status, error));
        foreach (string line in NativeLog.TakeErrors())
        {
            text.AppendLine().Append("  llama.cpp: ").Append(line);
        }

        return text.ToString();
    }

    /// <summary>Gets only the shim's reason.</summary>
    public static string Reason(moe_status status, byte* error)
    {
        string reason = Utf8.ToString(error);
        return status switch
        {
            _ when reason.Length == 0 => status.ToString(),
            moe_status.MOE_STATUS_ABORTED => $"llama.cpp aborted ({WithoutFolders(reason)})",
            _ => reason,
        };
    }

    /// <summary>Removes the directory from the message of an abort, such as <c>/folders/of/the/build/file.cpp:12: reason</c>.</summary>
    public static string WithoutFolders(string message)
    {
        int end = message.IndexOf(": ", StringComparison.Ordinal);
        int slash = end < 0 ? -1 : message.AsSpan(0, end).LastIndexOfAny('/', '\\');
        return message[(slash + 1)..];
    }
}

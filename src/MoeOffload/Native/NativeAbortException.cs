namespace MoeOffload.Native;

/// <summary>llama.cpp called abort() in a computation; its context is lost. Reaches users as the cause of an <see cref="InferenceException"/>.</summary>
internal sealed class NativeAbortException(string message) : Exception(message);

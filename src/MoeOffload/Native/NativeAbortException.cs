namespace MoeOffload.Native;

/// <summary>
/// The exception that is thrown when llama.cpp calls abort() in a computation. Its context is unusable. Users see it as the inner exception
/// of an <see cref="InferenceException"/>.
/// </summary>
internal sealed class NativeAbortException(string message) : Exception(message);

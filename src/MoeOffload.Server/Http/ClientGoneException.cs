namespace MoeOffload.Server;

/// <summary>The client has closed the connection, or has been left because it took nothing of its answer.</summary>
internal sealed class ClientGoneException(string message, Exception? innerException = null) : OperationCanceledException(message, innerException);

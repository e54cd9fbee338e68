namespace MoeOffload.Server.Http;

/// <summary>The exception that is thrown when the client has closed the connection, or was disconnected because it read nothing of its answer.</summary>
internal sealed class ClientGoneException(string message, Exception? innerException = null) : OperationCanceledException(message, innerException);

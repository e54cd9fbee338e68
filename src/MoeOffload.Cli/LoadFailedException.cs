namespace MoeOffload.Cli;

/// <summary>A model could not be loaded, for the reason that is inside.</summary>
internal sealed class LoadFailedException(Exception reason) : Exception(reason.Message, reason);

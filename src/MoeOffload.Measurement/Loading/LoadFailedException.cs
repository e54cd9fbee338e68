namespace MoeOffload.Measurement.Loading;

/// <summary>The exception that is thrown when a model cannot be loaded. The inner exception is the reason.</summary>
internal sealed class LoadFailedException(Exception reason) : Exception(reason.Message, reason);

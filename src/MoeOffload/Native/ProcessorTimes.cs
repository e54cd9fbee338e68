namespace MoeOffload.Native;

/// <summary>Represents processor times, counted from some moment in the past.</summary>
/// <param name="Idle">The time during which the machine's logical processors were idle, added up over all of them.</param>
/// <param name="Process">The time during which threads of this process ran.</param>
internal readonly record struct ProcessorTimes(TimeSpan Idle, TimeSpan Process);

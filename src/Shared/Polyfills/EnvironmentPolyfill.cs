using System.Diagnostics;

namespace System;

/// <summary>Provides what <see cref="Environment"/> has since .NET 9.</summary>
internal static class EnvironmentPolyfill
{
    private static readonly Process s_process = Process.GetCurrentProcess();

    extension(Environment)
    {
        /// <summary>Gets the processor time of this process.</summary>
        public static ProcessorUsage CpuUsage
        {
            get
            {
                lock (s_process)
                {
                    s_process.Refresh();
                    return new ProcessorUsage(s_process.TotalProcessorTime);
                }
            }
        }
    }

    /// <summary>Represents processor time.</summary>
    /// <param name="TotalTime">The time in user mode and in the system.</param>
    public readonly record struct ProcessorUsage(TimeSpan TotalTime);
}

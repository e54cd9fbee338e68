namespace System.Threading;

/// <summary>Provides what the classes for threads have since .NET Core 3.</summary>
internal static class ThreadingPolyfill
{
    extension(ThreadPool)
    {
        /// <summary>Queues a call.</summary>
        /// <typeparam name="TState">The type of the argument.</typeparam>
        /// <param name="callBack">The method.</param>
        /// <param name="state">Its argument.</param>
        /// <param name="preferLocal">Has no effect.</param>
        public static bool UnsafeQueueUserWorkItem<TState>(Action<TState> callBack, TState state, bool preferLocal) =>
            ThreadPool.UnsafeQueueUserWorkItem(_ => callBack(state), state: null);
    }

    /// <summary>
    /// Ends a registration without waiting for a callback that is running. Disposing it waits for one, and so it is done on another thread.
    /// </summary>
    /// <param name="registration">The registration.</param>
    public static void Unregister(this CancellationTokenRegistration registration)
    {
        if (registration.Token.CanBeCanceled)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static state => ((CancellationTokenRegistration)state!).Dispose(), registration);
        }
    }
}

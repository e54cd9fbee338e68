using System.Runtime.ExceptionServices;

namespace MoeOffload.Native;

/// <summary>Runs calls whose recursion depth depends on their input on a sufficiently large stack.</summary>
internal static class LargeStack
{
    private const int Reserve = 1 << 20;

    /// <summary>Runs a call on its own thread, and waits for it.</summary>
    /// <param name="bytes">The size of the stack, in bytes. Memory is only reserved; pages are allocated when they are accessed.</param>
    /// <param name="call">The call. Its exceptions are rethrown.</param>
    public static void Run(int bytes, Action call)
    {
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    call();
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            },
            bytes + Reserve)
        {
            IsBackground = true, // a program that ends does not wait for it
        };
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}

using System.Runtime.ExceptionServices;

namespace MoeOffload.Native;

/// <summary>Runs calls that recurse as deep as their input is long where the stack is large enough.</summary>
internal static class LargeStack
{
    private const int Reserve = 1 << 20;

    /// <summary>Runs a call on a thread of its own, and waits for it.</summary>
    /// <param name="bytes">The stack that it needs. Reserved, not used: pages count once they are touched.</param>
    /// <param name="call">What to run; what it throws is thrown on.</param>
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
            bytes + Reserve);
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}

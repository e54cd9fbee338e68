using System.Diagnostics;
using MoeOffload;
using MoeOffload.Abandonment;
using MoeOffload.Fixtures;
using MoeOffload.Inference.Running;

// A native call hangs on an RPC server that is stopped, its thread is abandoned and all is disposed; then the server goes on, and so does
// the call. Whatever it still touches must be there: else this process dies. Argument: what is hanging, a name of HangingWork.
const int Tokens = 8;

TinyModel file = TinyModels.Olmoe();
using (var work = new HangingWork(file, args[0]))
{
    await work.HangAsync();
    work.Release();
    GC.Collect();
    GC.WaitForPendingFinalizers();
    work.Resume();
    long start = Stopwatch.GetTimestamp();
    while (StepRegistry.Process.AbandonedCount > 0)
    {
        if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(60))
        {
            Console.Error.WriteLine("The call did not come back.");
            return 2;
        }

        Thread.Sleep(10);
    }
}

using MoeModel model = MoeModel.Load(file.Path, new ModelOptions { Devices = [] });
using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1, Prompt = 1 } });
int count = session.GenerateAsync("Another model works", SamplingOptions.Greedy, Tokens).ToBlockingEnumerable().Count();
Console.Write($"{count} tokens");
return 0;

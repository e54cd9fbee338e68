using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Reads the experts that routers choose in llama.cpp's evaluation callback, for an observer and a counter.</summary>
/// <remarks>
/// The callback enters managed code, through which an exception of C++ cannot pass. In system memory, choices are read where they are, which cannot fail. A
/// device can be lost while they are copied: such copies are made by a thread of its own, which llama.cpp's abort blocks instead of throwing in it, and the
/// session abandons the step that waits for it.
/// </remarks>
internal sealed unsafe class ExpertReading : IDisposable
{
    private readonly ExpertCounter _counter;
    private readonly IExpertObserver _observer;
    private readonly GCHandle _self;
    private DeviceCopy? _copy;

    /// <summary>Initializes a new instance of the <see cref="ExpertReading"/> class.</summary>
    public ExpertReading(ExpertCounter counter, IExpertObserver observer)
    {
        _counter = counter;
        _observer = observer;
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
    }

    /// <summary>Gets what the callback gets to find this object, as long as it is not disposed.</summary>
    public void* UserData => (void*)GCHandle.ToIntPtr(_self);

    // The name that llama.cpp gives the selection of a layer, before the layer's number.
    private static ReadOnlySpan<byte> Prefix => "ffn_moe_topk-"u8;

    /// <summary>Handles llama.cpp's evaluation callback.</summary>
    /// <param name="tensor">The tensor that will be computed, or that has been.</param>
    /// <param name="ask">1 if llama.cpp asks whether the tensor is needed.</param>
    /// <param name="data">The <see cref="UserData"/>.</param>
    /// <returns>1 if the tensor is needed or the computation shall continue.</returns>
    public static byte Receive(ggml_tensor* tensor, byte ask, void* data)
    {
        // Nearly all tensors have another type, which makes this the only check for them.
        if (tensor->type != ggml_type.GGML_TYPE_I32)
        {
            return (byte)(ask != 0 ? 0 : 1);
        }

        try
        {
            if (GCHandle.FromIntPtr((nint)data).Target is not ExpertReading reading || !TryGetLayer(tensor, reading._counter.LayerCount, out int layer))
            {
                return (byte)(ask != 0 ? 0 : 1);
            }

            if (ask == 0)
            {
                reading.Read(tensor, layer);
            }
        }
        catch (Exception)
        {
            // Exceptions must not propagate into C.
        }

        return 1;
    }

    /// <summary>Passes the end of a computation to the observer.</summary>
    public void OnStep(int tokens, int outputs, bool isComplete) => _observer.OnStep(tokens, outputs, isComplete);

    /// <inheritdoc/>
    public void Dispose()
    {
        _copy?.Stop();
        _self.Free();
    }

    /// <summary>Gets the layer whose selected experts a tensor contains.</summary>
    private static bool TryGetLayer(ggml_tensor* tensor, int layerCount, out int layer)
    {
        layer = 0;
        var name = new ReadOnlySpan<byte>(tensor->name, 64);
        if (!name.StartsWith(Prefix))
        {
            return false;
        }

        int at = Prefix.Length;
        for (; at < name.Length && name[at] is >= (byte)'0' and <= (byte)'9' && layer < layerCount; at++)
        {
            layer = (layer * 10) + name[at] - '0';
        }

        return at > Prefix.Length && at < name.Length && name[at] == 0 && layer < layerCount;
    }

    // The selection is a view of all experts in sorted order: rows of as many ids as are used, with a larger distance.
    private void Read(ggml_tensor* choice, int layer)
    {
        int used = checked((int)choice->ne[0]);
        int stride = checked((int)choice->nb[1] / sizeof(int));
        int tokens = checked((int)choice->ne[1]);
        if (used <= 0 || stride < used || tokens <= 0)
        {
            return;
        }

        ggml_backend_buffer* buffer = choice->view_src != null ? choice->view_src->buffer : choice->buffer;
        if (GgmlBackendApi.ggml_backend_buffer_is_host(buffer) != 0)
        {
            Pass(layer, tokens, used, stride, new ReadOnlySpan<int>(choice->data, ((tokens - 1) * stride) + used));
            return;
        }

        _copy ??= new DeviceCopy();
        Pass(layer, tokens, used, stride, _copy.Read(choice, ((tokens - 1) * stride) + used));
    }

    private void Pass(int layer, int rows, int used, int stride, ReadOnlySpan<int> experts)
    {
        _counter.Count(layer, rows, used, stride, experts);
        _observer.OnChoices(layer, rows, used, stride, experts);
    }

    /// <summary>Copies data from a device on a thread that can block forever.</summary>
    private sealed class DeviceCopy
    {
        private readonly object _gate = new();
        private int[] _data = [];
        private nint _tensor;
        private int _count;
        private bool _isStopped;

        public DeviceCopy() => new Thread(Run) { IsBackground = true, Name = "MoeOffload experts" }.Start();

        /// <summary>Copies the beginning of a tensor. The result is valid until the next call.</summary>
        public ReadOnlySpan<int> Read(ggml_tensor* tensor, int count)
        {
            lock (_gate)
            {
                if (_data.Length < count)
                {
                    _data = new int[count];
                }

                _tensor = (nint)tensor;
                _count = count;
                Monitor.PulseAll(_gate);
                while (_tensor != 0)
                {
                    Monitor.Wait(_gate);
                }
            }

            return _data.AsSpan(0, count);
        }

        /// <summary>Ends the thread, unless it is blocked.</summary>
        public void Stop()
        {
            lock (_gate)
            {
                _isStopped = true;
                Monitor.PulseAll(_gate);
            }
        }

        private void Run()
        {
            while (AwaitRequest())
            {
                fixed (int* data = _data)
                {
                    GgmlBackendApi.ggml_backend_tensor_get((ggml_tensor*)_tensor, data, 0, (nuint)_count * sizeof(int));
                }

                lock (_gate)
                {
                    _tensor = 0;
                    Monitor.PulseAll(_gate);
                }
            }
        }

        private bool AwaitRequest()
        {
            lock (_gate)
            {
                while (_tensor == 0 && !_isStopped)
                {
                    Monitor.Wait(_gate);
                }

                return !_isStopped;
            }
        }
    }
}

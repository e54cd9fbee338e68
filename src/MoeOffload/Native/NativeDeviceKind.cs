namespace MoeOffload.Native;

/// <summary>Specifies what a device is.</summary>
internal enum NativeDeviceKind
{
    Cpu,
    Gpu,
    IntegratedGpu,
    Accelerator,
    Rpc,
}

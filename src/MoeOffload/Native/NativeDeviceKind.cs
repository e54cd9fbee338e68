namespace MoeOffload.Native;

/// <summary>Specifies the kind of a device.</summary>
internal enum NativeDeviceKind
{
    Cpu,
    Gpu,
    IntegratedGpu,
    Accelerator,
    Rpc,
}

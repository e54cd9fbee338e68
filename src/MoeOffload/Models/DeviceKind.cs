namespace MoeOffload;

/// <summary>Specifies the kind of a device.</summary>
public enum DeviceKind
{
    /// <summary>The CPU and system memory.</summary>
    Cpu,

    /// <summary>A GPU with its own memory.</summary>
    Gpu,

    /// <summary>A GPU that uses system memory.</summary>
    IntegratedGpu,

    /// <summary>An accelerator that assists the CPU and uses system memory, such as BLAS.</summary>
    Accelerator,

    /// <summary>A device of an RPC server, on this machine or another.</summary>
    Rpc,
}

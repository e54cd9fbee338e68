namespace MoeOffload;

/// <summary>What a device is.</summary>
public enum DeviceKind
{
    /// <summary>The CPU and system memory.</summary>
    Cpu,

    /// <summary>A GPU with memory of its own.</summary>
    Gpu,

    /// <summary>A GPU that shares system memory.</summary>
    IntegratedGpu,

    /// <summary>An accelerator that works beside the CPU on system memory, such as BLAS.</summary>
    Accelerator,

    /// <summary>A device of an RPC server, on this machine or another.</summary>
    Rpc,
}

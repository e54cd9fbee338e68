namespace MoeOffload.Cli.Options;

/// <summary>Specifies the kind of devices that <c>--gpu-backend</c> selects.</summary>
internal enum GpuBackend
{
    Auto,
    Cpu,
    Cuda,
    Vulkan,
}

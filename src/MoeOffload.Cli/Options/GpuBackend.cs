namespace MoeOffload.Cli.Options;

/// <summary>What <c>--gpu-backend</c> asks for.</summary>
internal enum GpuBackend
{
    Auto,
    Cpu,
    Cuda,
    Vulkan,
}

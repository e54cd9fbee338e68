#pragma warning disable CA1822
using MoeOffload.Native.Generated;
namespace MoeOffload.Native;
internal sealed unsafe class NativeSampler : IDisposable
{
    public llama_sampler* Chain => null;
    public llama_sampler* Grammar => null;
    public static NativeSampler Create(NativeVocabulary vocabulary, SamplingOptions options) { _ = vocabulary; _ = options; return new(); }
    public void Dispose() { }
}

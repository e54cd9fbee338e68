using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>The cases in which plans are compared with the truth: ten architectures, in four weight types.</summary>
public static class PlanCases
{
    private static readonly int[] s_contexts = [256, 1024, 4096];
    private static readonly string[] s_caches = ["f16", "q8_0", "q4_0"];
    private static readonly int[] s_microBatches = [64, 512, 2048];
    private static readonly int[] s_parallel = [1, 2, 4];

    // The orthogonal array L9: each pair of values of any two of the four settings occurs once.
    private static readonly (int Context, int Cache, int MicroBatch, int Parallel)[] s_settings =
    [
        (0, 0, 0, 0), (0, 1, 1, 1), (0, 2, 2, 2), (1, 0, 1, 2), (1, 1, 2, 0), (1, 2, 0, 1), (2, 0, 2, 1), (2, 1, 0, 2), (2, 2, 1, 0),
    ];

    private static readonly (int Devices, string Placement)[] s_placements =
    [
        (0, PlanCase.All), (1, PlanCase.All), (1, PlanCase.Experts), (1, PlanCase.Fit), (2, PlanCase.All), (2, PlanCase.Experts), (2, PlanCase.Fit),
    ];

    /// <summary>Gets a model of each architecture, in the weight type that its cases have.</summary>
    public static IReadOnlyDictionary<string, TinyModel> Models { get; } = new TinyModel[]
    {
        TinyModels.PhiMoe(),
        TinyModels.GptOss(Of(GgmlType.MXFP4)),
        TinyModels.DeepSeek(Of(GgmlType.Q8_0)),
        TinyModels.Qwen3Moe(Of(GgmlType.Q4_0)),
        TinyModels.Olmoe(),
        TinyModels.Llama(Of(GgmlType.Q8_0)),
        TinyModels.Glm4Moe(),
        TinyModels.Step35(),
        TinyModels.Qwen35Moe(),
        TinyModels.Mamba(),
    }.ToDictionary(model => model.Shape.Architecture, StringComparer.Ordinal);

    /// <summary>Gets all cases.</summary>
    public static IReadOnlyList<PlanCase> All { get; } =
    [
        .. from model in Models.Values
           from placement in s_placements
           where placement.Placement != PlanCase.Experts || model.Shape.Experts > 0
           from setting in s_settings
           where model.Shape.Architecture != "mamba" || setting.Cache == 0 // which has no KV cache
           select new PlanCase(
               model.Shape.Architecture,
               placement.Devices,
               placement.Placement,
               s_contexts[setting.Context],
               s_caches[setting.Cache],
               s_microBatches[setting.MicroBatch],
               s_parallel[setting.Parallel]),
    ];

    private static TinyModelOptions Of(GgmlType type) => new() { WeightType = type };
}

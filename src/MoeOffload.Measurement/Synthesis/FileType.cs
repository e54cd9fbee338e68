using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Represents one of llama.cpp's file types. Most tensors have its main type; the others have the types that <c>llama-quantize</c> selects
/// without an importance matrix (see <c>llama-quant.cpp</c>; its branches for 8 experts, 70B and Falcon do not apply to any of the shapes).
/// </summary>
/// <param name="Name">The name, such as <c>Q4_K_M</c>.</param>
/// <param name="Number">The number in <c>enum llama_ftype</c>.</param>
/// <param name="Main">The type of most tensors.</param>
internal sealed record FileType(string Name, int Number, GgmlType Main)
{
    /// <summary>Gets all file types by name.</summary>
    public static IReadOnlyDictionary<string, FileType> All { get; } = new FileType[]
    {
        new("F32", 0, GgmlType.F32), new("F16", 1, GgmlType.F16), new("BF16", 32, GgmlType.BF16), new("Q8_0", 7, GgmlType.Q8_0),
        new("MXFP4", 38, GgmlType.MXFP4), new("Q2_K", 10, GgmlType.Q2_K), new("Q3_K_S", 11, GgmlType.Q3_K), new("Q3_K_M", 12, GgmlType.Q3_K),
        new("Q3_K_L", 13, GgmlType.Q3_K), new("Q4_K_S", 14, GgmlType.Q4_K), new("Q4_K_M", 15, GgmlType.Q4_K), new("Q5_K_S", 16, GgmlType.Q5_K),
        new("Q5_K_M", 17, GgmlType.Q5_K), new("Q6_K", 18, GgmlType.Q6_K),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    /// <summary>Returns the type of a tensor.</summary>
    /// <param name="shape">The shape of the model.</param>
    /// <param name="layers">The number of layers in the model.</param>
    /// <param name="tensor">The tensor.</param>
    public GgmlType TypeOf(ModelShape shape, int layers, ShapeTensor tensor)
    {
        bool isExpert = tensor.Name.EndsWith("_exps.weight", StringComparison.Ordinal);
        if (!IsQuantized(tensor))
        {
            return GgmlType.F32;
        }

        if (!GgmlTypeInfo.Get(Main).IsQuantized)
        {
            return isExpert && shape.ExpertType is { } native ? native : Main;
        }

        return Fitting(Main == GgmlType.MXFP4 ? (isExpert ? Main : GgmlType.Q8_0) : Choose(shape, layers, tensor), tensor.Dimensions[0]);
    }

    // Small or sensitive tensors are not quantized: vectors, biases and routers.
    private static bool IsQuantized(ShapeTensor tensor) => tensor.Dimensions.Length > 1
        && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
        && !tensor.Name.EndsWith("ffn_gate_inp.weight", StringComparison.Ordinal);

    private GgmlType Choose(ModelShape shape, int layers, ShapeTensor tensor)
    {
        bool usesMoreBits = tensor.Layer < layers / 8 || tensor.Layer >= 7 * layers / 8 || (tensor.Layer - (layers / 8)) % 3 == 2;
        return tensor.Name[(tensor.Name.LastIndexOf('.', tensor.Name.Length - ".weight".Length - 1) + 1)..] switch
        {
            "output.weight" => Main == GgmlType.Q8_0 || tensor.Dimensions[0] % GgmlTypeInfo.Get(Main).BlockSize != 0 ? GgmlType.Q8_0 : GgmlType.Q6_K,
            "attn_v.weight" => Name switch
            {
                "Q2_K" => shape.HeadsPerKeyValueHead >= 4 ? GgmlType.Q4_K : GgmlType.Q3_K,
                "Q3_K_M" => tensor.Layer < 2 ? GgmlType.Q5_K : GgmlType.Q4_K,
                "Q3_K_L" => GgmlType.Q5_K,
                "Q4_K_S" when tensor.Layer < 4 => GgmlType.Q5_K,
                "Q4_K_M" or "Q5_K_M" when usesMoreBits => GgmlType.Q6_K,
                _ => Main,
            },
            "ffn_down.weight" or "ffn_down_exps.weight" or "ffn_down_shexp.weight" => Name switch
            {
                "Q2_K" => GgmlType.Q3_K,
                "Q3_K_M" => tensor.Layer < layers / 16 ? GgmlType.Q5_K : GgmlType.Q4_K,
                "Q3_K_L" => GgmlType.Q5_K,
                "Q4_K_S" when tensor.Layer < layers / 8 => GgmlType.Q5_K,
                "Q4_K_M" or "Q5_K_M" when usesMoreBits => GgmlType.Q6_K,
                _ => Main,
            },
            "attn_output.weight" => Name switch
            {
                "Q2_K" => GgmlType.Q3_K,
                "Q3_K_M" => GgmlType.Q4_K,
                "Q3_K_L" => GgmlType.Q5_K,
                _ => Main,
            },
            _ => Main,
        };
    }

    // If the row length is not a multiple of 256, a type with blocks of 32 is used.
    private static GgmlType Fitting(GgmlType type, long row) => row % GgmlTypeInfo.Get(type).BlockSize == 0 ? type : type switch
    {
        GgmlType.Q2_K or GgmlType.Q3_K => GgmlType.Q4_0,
        GgmlType.Q4_K => GgmlType.Q5_0,
        GgmlType.Q5_K => GgmlType.Q5_1,
        GgmlType.Q6_K => GgmlType.Q8_0,
        _ => throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A row of {row} elements cannot be stored as {type}.")),
    };
}

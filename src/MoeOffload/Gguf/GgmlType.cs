namespace MoeOffload.Gguf;

/// <summary>Specifies the data type of the elements of a tensor or a KV cache. The values are those of ggml's <c>enum ggml_type</c>.</summary>
public enum GgmlType
{
    /// <summary>32-bit IEEE float.</summary>
    F32 = 0,

    /// <summary>16-bit IEEE float.</summary>
    F16 = 1,

    /// <summary>4 bits per weight, with one scale per 32 weights.</summary>
    Q4_0 = 2,

    /// <summary>4 bits per weight, with a scale and a minimum per 32 weights.</summary>
    Q4_1 = 3,

    /// <summary>5 bits per weight, with one scale per 32 weights.</summary>
    Q5_0 = 6,

    /// <summary>5 bits per weight, with a scale and a minimum per 32 weights.</summary>
    Q5_1 = 7,

    /// <summary>8 bits per weight, with one scale per 32 weights.</summary>
    Q8_0 = 8,

    /// <summary>8 bits per value with a scale and a sum per 32 values, for intermediate results only.</summary>
    Q8_1 = 9,

    /// <summary>K-quant of about 2.6 bits per weight.</summary>
    Q2_K = 10,

    /// <summary>K-quant of about 3.4 bits per weight.</summary>
    Q3_K = 11,

    /// <summary>K-quant of 4.5 bits per weight.</summary>
    Q4_K = 12,

    /// <summary>K-quant of 5.5 bits per weight.</summary>
    Q5_K = 13,

    /// <summary>K-quant of about 6.6 bits per weight.</summary>
    Q6_K = 14,

    /// <summary>8 bits per value in blocks of 256, for intermediate results only.</summary>
    Q8_K = 15,

    /// <summary>I-quant of about 2.1 bits per weight.</summary>
    IQ2_XXS = 16,

    /// <summary>I-quant of about 2.3 bits per weight.</summary>
    IQ2_XS = 17,

    /// <summary>I-quant of about 3.1 bits per weight.</summary>
    IQ3_XXS = 18,

    /// <summary>I-quant of about 1.6 bits per weight.</summary>
    IQ1_S = 19,

    /// <summary>4 bits per weight on a nonlinear scale, with one scale per 32 weights.</summary>
    IQ4_NL = 20,

    /// <summary>I-quant of about 3.4 bits per weight.</summary>
    IQ3_S = 21,

    /// <summary>I-quant of about 2.6 bits per weight.</summary>
    IQ2_S = 22,

    /// <summary>I-quant of 4.25 bits per weight.</summary>
    IQ4_XS = 23,

    /// <summary>8-bit signed integer.</summary>
    I8 = 24,

    /// <summary>16-bit signed integer.</summary>
    I16 = 25,

    /// <summary>32-bit signed integer.</summary>
    I32 = 26,

    /// <summary>64-bit signed integer.</summary>
    I64 = 27,

    /// <summary>64-bit IEEE float.</summary>
    F64 = 28,

    /// <summary>I-quant of 1.75 bits per weight.</summary>
    IQ1_M = 29,

    /// <summary>16-bit brain float.</summary>
    BF16 = 30,

    /// <summary>Ternary weights of about 1.7 bits.</summary>
    TQ1_0 = 34,

    /// <summary>Ternary weights of about 2.1 bits.</summary>
    TQ2_0 = 35,

    /// <summary>4-bit floats with one shared exponent per 32 weights (OCP microscaling).</summary>
    MXFP4 = 39,

    /// <summary>4-bit floats with an 8-bit float scale per 16 weights.</summary>
    NVFP4 = 40,

    /// <summary>1 bit per weight, with one scale per 128 weights.</summary>
    Q1_0 = 41,

    /// <summary>2 bits per weight, with one scale per 64 weights.</summary>
    Q2_0 = 42,
}

namespace MoeOffload;

/// <summary>How positions beyond the trained context are mapped into it.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All positions divided by one factor.</summary>
    Linear,

    /// <summary>YaRN: low frequencies stretched, high ones kept (https://arxiv.org/abs/2309.00071).</summary>
    Yarn,

    /// <summary>LongRoPE: one factor for each dimension, from the model's file (https://arxiv.org/abs/2402.13753).</summary>
    LongRope,
}

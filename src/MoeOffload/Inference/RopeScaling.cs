namespace MoeOffload;

/// <summary>Specifies how the rotary position embedding is scaled to positions beyond the trained context length.</summary>
public enum RopeScaling
{
    /// <summary>Positions are not scaled.</summary>
    None,

    /// <summary>All positions are divided by the same factor.</summary>
    Linear,

    /// <summary>YaRN: low frequencies are interpolated and high frequencies are kept (https://arxiv.org/abs/2309.00071).</summary>
    Yarn,

    /// <summary>LongRoPE: each dimension has its own factor, which is read from the model file (https://arxiv.org/abs/2402.13753).</summary>
    LongRope,
}

namespace MoeOffload.Gguf;

/// <summary>
/// Contains what llama.cpp v0.5.0 assumes about an architecture's hyperparameters. If an assumption does not hold, an assertion in its
/// <c>src/models</c> ends the process. Architectures that are not listed are not subject to the assumption.
/// </summary>
internal static class ArchitectureFacts
{
    /// <summary>Determines whether the query, key, value and rotated part of an attention head have the same size.</summary>
    public static bool RotatesWholeHeads(string architecture) => architecture is
        "apertus" or "arcee" or "arctic" or "baichuan" or "chameleon" or "codeshell" or "cogvlm" or "cohere2moe" or "dbrx"
        or "deci" or "deepseek" or "dots1" or "dream" or "ernie4_5" or "ernie4_5-moe" or "exaone" or "exaone-moe" or "exaone4"
        or "falcon" or "gpt-oss" or "granite" or "granite_swa" or "granitemoe" or "graniteswitch" or "grok" or "grovemoe" or "hunyuan-dense"
        or "hunyuan-moe" or "hunyuan_vl" or "hy_v3" or "internlm2" or "jais2" or "llada" or "llada-moe" or "llama"
        or "llama-embed" or "llama4" or "maincoder" or "mellum" or "minicpm" or "mistral3" or "olmo" or "olmo2" or "olmoe"
        or "orion" or "paddleocr" or "pangu-embedded" or "plamo" or "pockettts" or "qwen2" or "qwen2moe" or "qwen2vl" or "qwen3"
        or "qwen3moe" or "qwen3tts" or "qwen3vl" or "qwen3vlmoe" or "rnd1" or "seed_oss" or "smallthinker" or "smollm3"
        or "starcoder2" or "talkie" or "xverse";

    /// <summary>Determines whether the key and value of an attention head have the same size, of which a part may be rotated.</summary>
    public static bool HasKeysLikeValues(string architecture) => RotatesWholeHeads(architecture) || architecture is
        "afmoe" or "bailingmoe2" or "bert" or "bitnet" or "bloom" or "chatglm" or "cohere2" or "command-r" or "dflash"
        or "eagle3" or "eurobert" or "glm4" or "glm4moe" or "gpt2" or "gptneox" or "granitehybrid" or "jais" or "jina-bert-v2"
        or "jina-bert-v3" or "laguna" or "maple" or "minimax-01" or "minimax-m2" or "minimax-m3" or "modern-bert" or "mpt"
        or "muse-glimmer" or "nanbeige" or "nemotron" or "nemotron_h" or "nemotron_h_moe" or "neo-bert" or "nomic-bert"
        or "nomic-bert-moe" or "openelm" or "phi2" or "phi3" or "phimoe" or "qwen" or "qwen35" or "qwen35moe" or "qwen3next"
        or "qwen4exp" or "refact" or "spark2_5" or "stablelm" or "starcoder" or "t5" or "t5encoder";

    /// <summary>Determines whether layers have Mamba-2 heads in addition to or instead of attention.</summary>
    public static bool HasMamba2Layers(string architecture) => architecture is
        "mamba2" or "nemotron_h" or "nemotron_h_moe" or "falcon-h1" or "granitehybrid";

    /// <summary>Determines whether layers have gated delta nets, whose number of value heads is a multiple of that of key heads.</summary>
    public static bool HasDeltaNetLayers(string architecture) => architecture is
        "qwen3next" or "qwen35" or "qwen35moe" or "qwen4exp";

    /// <summary>Determines whether a pattern specifies the layers with a sliding window, of which there must be at least one.</summary>
    public static bool HasSlidingPattern(string architecture) => architecture is
        "gpt-oss" or "gemma2" or "gemma3" or "gemma3n" or "gemma-embedding" or "cohere2" or "cohere2moe" or "muse-glimmer"
        or "exaone-moe";

    /// <summary>Determines whether attention has no rotary position embeddings, so that files may specify 0 rotated dimensions.</summary>
    public static bool MayRotateNothing(string architecture) => architecture is "kimi-linear" or "kimi-k3";

    /// <summary>Determines whether positions always have several dimensions.</summary>
    public static bool HasMultiAxisRope(string architecture) => architecture is
        "qwen2vl" or "qwen3vl" or "qwen3vlmoe" or "qwen35" or "qwen35moe" or "qwen4exp" or "qwen3tts" or "paddleocr";

    /// <summary>Determines whether the file must specify the gating function of experts, since there is no default.</summary>
    public static bool NamesItsGating(string architecture) => architecture is
        "bailingmoe2" or "bailingmoe3" or "deepseek32" or "dots3note" or "exaone-moe" or "kimi-k3" or "kimi-linear";
}

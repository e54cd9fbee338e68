namespace MoeOffload.Fixtures;

/// <summary>The tensors and hyperparameters that llama.cpp requires of each architecture (its <c>src/models</c>).</summary>
internal static class TinyArchitectures
{
    // With this, a layer for multi-token prediction guesses about every second token right.
    private const float MtpResidualScale = 0.12f;

    public static void PhiMoe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("rope.scaling.original_context_length", (uint)options.ContextLength);
        model.Set("rope.scaling.attn_factor", 1f);
        model.Vocabulary(
            TinyVocabulary.SentencePiece(
                options.VocabularySize, ChatTemplates.Phi3, "<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"),
            outputBias: true);
        model.Constant("rope_factors_long.weight", 2, shape.HeadLength / 2);
        model.Constant("rope_factors_short.weight", 1, shape.HeadLength / 2);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding, bias: true);
            model.Attention(layer, bias: true);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding, bias: true);
            model.Experts(layer);
        }
    }

    public static void GptOss(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.Set("attention.sliding_window", 128u);
        model.Set("rope.scaling.type", "yarn");
        model.Set("rope.scaling.factor", 32f);
        model.Set("rope.scaling.original_context_length", (uint)Math.Max(1, options.ContextLength / 32));
        model.Vocabulary(TinyVocabulary.ByteLevel(
            "gpt-4o",
            options.VocabularySize,
            ChatTemplates.Harmony,
            "<|startoftext|>",
            "<|return|>",
            "<|endoftext|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|channel|>",
            "<|constrain|>",
            "<|call|>"));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer, bias: true);
            model.Bias($"blk.{layer}.attn_sinks.weight", shape.Heads);
            model.Norm($"blk.{layer}.post_attention_norm", model.Embedding);
            model.Experts(layer, bias: true);
        }
    }

    public static void DeepSeek(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.FeedForwardLength);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("expert_shared_count", (uint)shape.SharedExperts);
        model.Set("expert_weights_scale", 1f);
        model.Set("leading_dense_block_count", (uint)shape.LeadingDenseLayers);
        model.Vocabulary(TinyVocabulary.ByteLevel(
            "deepseek-llm", options.VocabularySize, ChatTemplates.DeepSeek, "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            if (layer < shape.LeadingDenseLayers)
            {
                model.FeedForward(layer, shape.FeedForwardLength);
            }
            else
            {
                model.Experts(layer);
                model.FeedForward(layer, shape.ExpertFeedForwardLength * shape.SharedExperts, "_shexp");
            }
        }
    }

    public static void Qwen3Moe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.FeedForwardLength);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.Vocabulary(TinyVocabulary.ByteLevel(
            "qwen2", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|im_start|>"));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.attn_q_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.attn_k_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            model.Experts(layer);
        }
    }

    public static void Qwen3VlMoe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.SetArray("rope.dimension_sections", shape.HeadLength / 4, shape.HeadLength / 8, shape.HeadLength / 8, 0);
        model.Set("n_deepstack_layers", 0u);
        Qwen3Moe(model, shape, options);
    }

    public static void Olmoe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Vocabulary(TinyVocabulary.ByteLevel(
            "olmo", options.VocabularySize, ChatTemplates.Olmo, "<|endoftext|>", "<|im_end|>", "<|padding|>"));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.attn_q_norm", model.Embedding);
            model.Norm($"blk.{layer}.attn_k_norm", shape.KeyValueHeads * shape.HeadLength);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            model.Experts(layer);
        }
    }

    public static void Llama(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Vocabulary(TinyVocabulary.SentencePiece(options.VocabularySize, ChatTemplates.Llama2));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            if (shape.Experts > 0)
            {
                model.Experts(layer);
            }
            else
            {
                model.FeedForward(layer, shape.ExpertFeedForwardLength);
            }
        }
    }

    public static void Glm4Moe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("nextn_predict_layers", (uint)shape.MtpLayers);
        model.Set("feed_forward_length", (uint)shape.FeedForwardLength);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("expert_shared_count", (uint)shape.SharedExperts);
        model.Set("leading_dense_block_count", (uint)shape.LeadingDenseLayers);
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.ResidualScale = MtpResidualScale;
        model.Vocabulary(TinyVocabulary.ByteLevel("glm4", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|im_start|>"));
        for (var layer = 0; layer < shape.Layers + shape.MtpLayers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.post_attention_norm", model.Embedding);
            if (layer < shape.LeadingDenseLayers)
            {
                model.FeedForward(layer, shape.FeedForwardLength);
            }
            else
            {
                model.Experts(layer);
                model.Bias($"blk.{layer}.exp_probs_b.bias", shape.Experts);
                model.FeedForward(layer, shape.ExpertFeedForwardLength * shape.SharedExperts, "_shexp");
            }

            if (layer >= shape.Layers)
            {
                model.MtpInput(layer);
                model.Norm($"blk.{layer}.nextn.shared_head_norm", model.Embedding);
            }
        }
    }

    public static void Step35(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        var layers = shape.Layers + shape.MtpLayers;
        model.Set("nextn_predict_layers", (uint)shape.MtpLayers);
        model.Set("feed_forward_length", (uint)shape.FeedForwardLength);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("expert_shared_feed_forward_length", (uint)(shape.ExpertFeedForwardLength * shape.SharedExperts));
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.Set("attention.sliding_window", 128u);
        model.SetArray("attention.sliding_window_pattern", [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 1)]);
        model.Set("rope.freq_base_swa", 10000f);
        model.ResidualScale = MtpResidualScale;
        model.Vocabulary(TinyVocabulary.ByteLevel("qwen2", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|im_start|>"));
        for (var layer = 0; layer < layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.attn_q_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.attn_k_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            model.Experts(layer);
            model.FeedForward(layer, shape.ExpertFeedForwardLength * shape.SharedExperts, "_shexp");
            if (layer >= shape.Layers)
            {
                model.MtpInput(layer);
            }
        }
    }

    public static void Qwen35Moe(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        const int States = 32;
        const int KeyHeads = 2;
        const int ValueHeads = 4;
        const int Kernel = 4;
        model.Set("nextn_predict_layers", (uint)shape.MtpLayers);
        model.Set("expert_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("expert_shared_feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.SetArray("rope.dimension_sections", shape.HeadLength / 4, shape.HeadLength / 8, shape.HeadLength / 8, 0);
        model.Set("full_attention_interval", 2u);
        model.Set("ssm.conv_kernel", (uint)Kernel);
        model.Set("ssm.inner_size", (uint)(States * ValueHeads));
        model.Set("ssm.state_size", (uint)States);
        model.Set("ssm.time_step_rank", (uint)ValueHeads);
        model.Set("ssm.group_count", (uint)KeyHeads);
        model.ResidualScale = MtpResidualScale;
        model.Vocabulary(TinyVocabulary.ByteLevel("qwen35", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|im_start|>"));
        for (var layer = 0; layer < shape.Layers + shape.MtpLayers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Norm($"blk.{layer}.post_attention_norm", model.Embedding);
            if (layer < shape.Layers && layer % 2 == 0)
            {
                model.DeltaNet(layer, States, KeyHeads, ValueHeads, Kernel);
            }
            else
            {
                model.Attention(layer, gated: true);
                model.Norm($"blk.{layer}.attn_q_norm", shape.HeadLength);
                model.Norm($"blk.{layer}.attn_k_norm", shape.HeadLength);
            }

            model.Experts(layer);
            model.Bias($"blk.{layer}.ffn_gate_inp_shexp.weight", model.Embedding);
            model.FeedForward(layer, shape.ExpertFeedForwardLength, "_shexp");
            if (layer >= shape.Layers)
            {
                model.MtpInput(layer);
            }
        }
    }

    public static void Bert(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("attention.layer_norm_epsilon", 1e-5f);
        model.Set("attention.causal", false);
        model.Set("pooling_type", 1u);
        model.EncoderVocabulary(TinyVocabulary.ByteLevel("gpt-2", options.VocabularySize, ChatTemplates.ChatMl, "<s>", "</s>"));
        model.Matrix("position_embd.weight", [model.Embedding, options.ContextLength], deviation: 1);
        model.Norm("token_embd_norm", model.Embedding, bias: true);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Attention(layer, bias: true);
            model.Norm($"blk.{layer}.attn_output_norm", model.Embedding, bias: true);
            model.Matrix($"blk.{layer}.ffn_up.weight", [model.Embedding, shape.ExpertFeedForwardLength]);
            model.Matrix($"blk.{layer}.ffn_down.weight", [shape.ExpertFeedForwardLength, model.Embedding]);
            model.Norm($"blk.{layer}.layer_output_norm", model.Embedding, bias: true);
        }
    }

    public static void BertReranker(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        Bert(model, shape, options);
        model.Set("pooling_type", 4u);
        model.Matrix("cls.weight", [model.Embedding, model.Embedding]);
        model.Bias("cls.bias", model.Embedding);
        model.Matrix("cls.output.weight", [model.Embedding, 1], deviation: 1);
        model.Bias("cls.output.bias", 1);
    }

    public static void Qwen3Reranker(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        model.Set("feed_forward_length", (uint)shape.ExpertFeedForwardLength);
        model.Set("attention.key_length", (uint)shape.HeadLength);
        model.Set("attention.value_length", (uint)shape.HeadLength);
        model.Set("pooling_type", 4u);
        model.SetTexts("classifier.output_labels", "yes", "no");
        model.Vocabulary(TinyVocabulary.ByteLevel(
            "qwen2", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|im_start|>"));
        model.RerankTemplate("<|im_start|>user\n<Query>: {query}\n<Document>: {document}<|im_end|>\n<|im_start|>assistant\n");
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.Attention(layer);
            model.Norm($"blk.{layer}.attn_q_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.attn_k_norm", shape.HeadLength);
            model.Norm($"blk.{layer}.ffn_norm", model.Embedding);
            model.FeedForward(layer, shape.ExpertFeedForwardLength);
        }

        model.Matrix("cls.output.weight", [model.Embedding, 2], deviation: 0.2f);
    }

    public static void Mamba(TinyModelWriter model, TinyShape shape, TinyModelOptions options)
    {
        const int States = 16;
        const int Kernel = 4;
        int inner = 2 * shape.EmbeddingLength;
        int rank = shape.EmbeddingLength / 16;
        model.Set("feed_forward_length", 0u);
        model.Set("ssm.conv_kernel", (uint)Kernel);
        model.Set("ssm.inner_size", (uint)inner);
        model.Set("ssm.state_size", (uint)States);
        model.Set("ssm.time_step_rank", (uint)rank);
        model.Vocabulary(TinyVocabulary.ByteLevel("olmo", options.VocabularySize, ChatTemplates.ChatMl, "<|endoftext|>", "<|im_end|>", "<|padding|>"));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            model.Norm($"blk.{layer}.attn_norm", model.Embedding);
            model.StateSpace(layer, inner, States, Kernel, rank);
        }
    }
}

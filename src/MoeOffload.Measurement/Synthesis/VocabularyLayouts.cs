namespace MoeOffload.Measurement.Synthesis;

/// <summary>Contains the vocabularies of the shapes, with the sizes and special tokens of their <c>tokenizer.json</c> on Hugging Face.</summary>
internal static class VocabularyLayouts
{
    public static VocabularyLayout GptOss { get; } = new()
    {
        Model = "gpt2",
        Pre = "gpt-4o",
        Size = 201088,
        Special = new Dictionary<int, string>
        {
            [199998] = "<|startoftext|>",
            [199999] = "<|endoftext|>",
            [200002] = "<|return|>",
            [200003] = "<|constrain|>",
            [200005] = "<|channel|>",
            [200006] = "<|start|>",
            [200007] = "<|end|>",
            [200008] = "<|message|>",
            [200012] = "<|call|>",
            [200018] = "<|endofprompt|>",
        },
        Unnamed = "<|reserved_#|>",
        BeginId = 199998,
        EndId = 200002,
        PaddingId = 199999,
        AddsBegin = false,
        ChatTemplate = """
            {%- for message in messages -%}
            {{- '<|start|>' + message['role'] + ('<|channel|>final' if message['role'] == 'assistant' else '') + '<|message|>' + message['content'] + '<|end|>' -}}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{- '<|start|>assistant' -}}{%- endif -%}
            """,
    };

    public static VocabularyLayout Phi3 { get; } = new()
    {
        Model = "llama",
        Pre = "default",
        Size = 32064,
        Special = new Dictionary<int, string>
        {
            [0] = "<unk>",
            [1] = "<s>",
            [2] = "</s>",
            [32000] = "<|endoftext|>",
            [32001] = "<|assistant|>",
            [32002] = "<|placeholder1|>",
            [32003] = "<|placeholder2|>",
            [32004] = "<|placeholder3|>",
            [32005] = "<|placeholder4|>",
            [32006] = "<|system|>",
            [32007] = "<|end|>",
            [32008] = "<|placeholder5|>",
            [32009] = "<|placeholder6|>",
            [32010] = "<|user|>",
        },
        Unnamed = "[PAD#]",
        BeginId = 1,
        EndId = 32000,
        PaddingId = 32000,
        AddsBegin = false,
        ChatTemplate = """
            {%- for message in messages -%}
            {{- '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' -}}
            {%- endfor -%}
            {{- '<|assistant|>\n' if add_generation_prompt else eos_token -}}
            """,
    };

    public static VocabularyLayout DeepSeek { get; } = new()
    {
        Model = "gpt2",
        Pre = "deepseek-llm",
        Size = 102400,
        Special = new Dictionary<int, string>
        {
            [100000] = "<｜begin▁of▁sentence｜>",
            [100001] = "<｜end▁of▁sentence｜>",
        },
        Unnamed = "[PAD#]",
        BeginId = 100000,
        EndId = 100001,
        PaddingId = 100001,
        AddsBegin = true,
        ChatTemplate = """
            {%- if not add_generation_prompt is defined -%}{%- set add_generation_prompt = false -%}{%- endif -%}
            {{- bos_token -}}
            {%- for message in messages -%}
            {%- if message['role'] == 'user' -%}{{- 'User: ' + message['content'] + '\n\n' -}}
            {%- elif message['role'] == 'assistant' -%}{{- 'Assistant: ' + message['content'] + eos_token -}}
            {%- else -%}{{- message['content'] + '\n\n' -}}
            {%- endif -%}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
            """,
    };

    public static VocabularyLayout Qwen3 { get; } = new()
    {
        Model = "gpt2",
        Pre = "qwen2",
        Size = 151936,
        Special = new Dictionary<int, string>
        {
            [151643] = "<|endoftext|>",
            [151644] = "<|im_start|>",
            [151645] = "<|im_end|>",
            [151646] = "<|object_ref_start|>",
            [151647] = "<|object_ref_end|>",
            [151648] = "<|box_start|>",
            [151649] = "<|box_end|>",
            [151650] = "<|quad_start|>",
            [151651] = "<|quad_end|>",
            [151652] = "<|vision_start|>",
            [151653] = "<|vision_end|>",
            [151654] = "<|vision_pad|>",
            [151655] = "<|image_pad|>",
            [151656] = "<|video_pad|>",
            [151657] = "<tool_call>",
            [151658] = "</tool_call>",
            [151659] = "<|fim_prefix|>",
            [151660] = "<|fim_middle|>",
            [151661] = "<|fim_suffix|>",
            [151662] = "<|fim_pad|>",
            [151663] = "<|repo_name|>",
            [151664] = "<|file_sep|>",
            [151665] = "<tool_response>",
            [151666] = "</tool_response>",
            [151667] = "<think>",
            [151668] = "</think>",
        },
        Unnamed = "[PAD#]",
        BeginId = 151643,
        EndId = 151645,
        PaddingId = 151643,
        AddsBegin = false,
        ChatTemplate = """
            {%- for message in messages -%}
            {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' -}}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
            """,
    };
}

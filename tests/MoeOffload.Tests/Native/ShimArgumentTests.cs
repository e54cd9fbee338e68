using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Inference;
using MoeOffload.Native;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

/// <summary>The shim against arguments that llama.cpp itself would answer with a crash.</summary>
[TestFixture]
public sealed unsafe class ShimArgumentTests
{
    private const moe_status Invalid = moe_status.MOE_STATUS_INVALID_ARGUMENT;
    private const nuint ErrorSize = 256;

    private MoeModel _model = null!;
    private llama_context* _context;
    private byte* _error;

    private llama_model* Model => _model.Native.Handle.Pointer;

    private llama_vocab* Vocabulary => LlamaApi.llama_model_get_vocab(Model);

    [OneTimeSetUp]
    public void LoadModel()
    {
        _model = MoeModel.Load(TinyModels.Olmoe().Path, new ModelOptions { Devices = [] });
        _error = (byte*)NativeMemory.AllocZeroed(ErrorSize);
        llama_context_params parameters = new ContextParameters(Generations.SmallContext, expertsOffloaded: false).ToSettings().ToNative();
        llama_context* context;
        ShimApi.moe_context_init(Model, &parameters, &context, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        _context = context;
    }

    [OneTimeTearDown]
    public void FreeModel()
    {
        ShimApi.moe_context_free(_context, null, 0);
        NativeMemory.Free(_error);
        _model.Dispose();
    }

    [Test]
    public void Version_is_that_of_the_bindings() => ShimApi.moe_shim_version().Should().Be(ShimApi.MOE_SHIM_VERSION);

    [Test]
    public void Experts_in_files_check_their_arguments()
    {
        ggml_backend_buffer_type* experts;
        moe_expert_memory memory;
        byte* path = stackalloc byte[] { (byte)'x', 0 };
        var tensor = new moe_expert_tensor { name = path, n_bytes = 7, n_experts = 2 };
        ShimApi.moe_experts_new(null, 1, &tensor, 1, 1, &experts, _error, ErrorSize).Should().Be(Invalid);
        ShimApi.moe_experts_new(&path, 1, &tensor, 0, 1, &experts, _error, ErrorSize).Should().Be(Invalid);
        ShimApi.moe_experts_new(&path, 1, &tensor, 1, 1, &experts, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
        ShimApi.moe_experts_counts(null, null, 0, &memory, _error, ErrorSize).Should().Be(Invalid);
        ShimApi.moe_experts_inject(null, null, null, _error, ErrorSize).Should().Be(Invalid);
        ShimApi.moe_experts_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ShimApi.moe_context_use_threads(null, 1, null, 1, null, _error, ErrorSize).Should().Be(Invalid);
        ShimApi.moe_context_use_threads(_context, 0, null, 1, null, _error, ErrorSize).Should().Be(Invalid);
    }

    [Test]
    public void Error_texts_are_cut_to_the_buffer_and_ended()
    {
        byte* small = stackalloc byte[8];
        new Span<byte>(small, 8).Fill(0xee);

        ShimApi.moe_regex_check(null, small, 5).Should().Be(Invalid);
        Encoding.UTF8.GetString(small, 4).Should().Be("patt");
        new ReadOnlySpan<byte>(small + 4, 4).ToArray().Should().Equal(0, 0xee, 0xee, 0xee);

        small[0] = 0xee;
        ShimApi.moe_regex_check(null, small, 0).Should().Be(Invalid);
        small[0].Should().Be(0xee);
        ShimApi.moe_regex_check(null, null, 100).Should().Be(Invalid);
    }

    [Test]
    public void Backends_and_devices()
    {
        ggml_backend_reg* registry;
        ggml_backend_buffer_type* type;
        int score;
        ulong bytes;
        ggml_backend_device* cpu = NativeDevice.All().Find(device => device.Kind == NativeDeviceKind.Cpu).Pointer;
        fixed (byte* missing = "/no/such/library.so\0"u8)
        fixed (byte* text = "nonsense\0"u8)
        {
            Refused(ShimApi.moe_backend_load(null, &registry, _error, ErrorSize));
            Refused(ShimApi.moe_backend_load(missing, null, _error, ErrorSize));
            ShimApi.moe_backend_load(missing, &registry, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            ErrorText.Should().Contain("/no/such/library.so");
            Refused(ShimApi.moe_backend_score(null, &score, _error, ErrorSize));
            Refused(ShimApi.moe_backend_score(missing, null, _error, ErrorSize));
            ShimApi.moe_backend_score(missing, &score, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            Refused(ShimApi.moe_rpc_add_server(null, _error, ErrorSize));
            ShimApi.moe_rpc_add_server(text, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_ABORTED);
            ErrorText.Should().Contain("Failed to parse endpoint");
        }

        Refused(ShimApi.moe_device_memory(null, &bytes, &bytes, _error, ErrorSize));
        Refused(ShimApi.moe_device_memory(cpu, null, &bytes, _error, ErrorSize));
        Refused(ShimApi.moe_device_memory(cpu, &bytes, null, _error, ErrorSize));
        Refused(ShimApi.moe_device_buffer_type(null, 0, &type, _error, ErrorSize));
        Refused(ShimApi.moe_device_buffer_type(cpu, -1, &type, _error, ErrorSize));
        Refused(ShimApi.moe_device_buffer_type(cpu, 0, null, _error, ErrorSize));
        ShimApi.moe_device_buffer_type(cpu, int.MaxValue, &type, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        (type == null).Should().BeTrue();
    }

    [Test]
    public void Models()
    {
        llama_model* model;
        llama_model_params parameters = LlamaApi.llama_model_default_params();
        nuint count;
        fixed (byte* missing = "/no/such/model.gguf\0"u8)
        {
            byte** paths = stackalloc byte*[] { missing };
            Refused(ShimApi.moe_model_load(null, 1, &parameters, &model, _error, ErrorSize));
            Refused(ShimApi.moe_model_load(paths, 0, &parameters, &model, _error, ErrorSize));
            Refused(ShimApi.moe_model_load(paths, 1, null, &model, _error, ErrorSize));
            Refused(ShimApi.moe_model_load(paths, 1, &parameters, null, _error, ErrorSize));
            ShimApi.moe_model_load(paths, 1, &parameters, &model, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            (model == null).Should().BeTrue();
            parameters.no_alloc = 1;
            Refused(ShimApi.moe_model_load(paths, 1, &parameters, &model, _error, ErrorSize));
        }

        ShimApi.moe_model_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        Refused(ShimApi.moe_model_tensor_count(null, &count, _error, ErrorSize));
        Refused(ShimApi.moe_model_tensor_count(Model, null, _error, ErrorSize));
        Refused(ShimApi.moe_model_tensors(Model, null, 1, &count, _error, ErrorSize));
        moe_tensor_placement one;
        ShimApi.moe_model_tensors(Model, &one, 1, &count, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ((int)count).Should().Be(_model.Placement.TensorCount, "it counts what does not fit as well");
    }

    [Test]
    public void Multi_token_prediction()
    {
        moe_mtp_info info;
        float* rows;
        float value;
        Refused(ShimApi.moe_model_mtp_info(null, &info, _error, ErrorSize));
        Refused(ShimApi.moe_model_mtp_info(Model, null, _error, ErrorSize));
        ShimApi.moe_model_mtp_info(Model, &info, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        (info.n_layers, info.computable, info.width).Should().Be((0, 0, _model.Info.EmbeddingLength));
        Refused(ShimApi.moe_hidden_keep(null, 1, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_rows(null, &rows, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_rows(_context, null, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_rows(_context, &rows, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_row(null, 0, &value, 1, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_row(_context, 0, null, 1, _error, ErrorSize));
        Refused(ShimApi.moe_hidden_row(_context, 0, &value, 1, _error, ErrorSize));
        Refused(ShimApi.moe_mtp_select(null, 0, _error, ErrorSize));
        Refused(ShimApi.moe_mtp_select(_context, -1, _error, ErrorSize));
        Refused(ShimApi.moe_mtp_select(_context, 0, _error, ErrorSize));
    }

    [Test]
    public void Contexts()
    {
        llama_context* context;
        llama_context_params parameters = LlamaApi.llama_context_default_params();
        nuint count;
        ggml_threadpool* pool;
        Refused(ShimApi.moe_context_init(null, &parameters, &context, _error, ErrorSize));
        Refused(ShimApi.moe_context_init(Model, null, &context, _error, ErrorSize));
        Refused(ShimApi.moe_context_init(Model, &parameters, null, _error, ErrorSize));
        ShimApi.moe_context_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);

        parameters.ctx_type = llama_context_type.LLAMA_CONTEXT_TYPE_MTP;
        Refused(ShimApi.moe_context_init(Model, &parameters, &context, _error, ErrorSize));
        parameters.ctx_type = llama_context_type.LLAMA_CONTEXT_TYPE_DEFAULT;

        Refused(ShimApi.moe_memory_breakdown(null, null, 0, &count, _error, ErrorSize));
        Refused(ShimApi.moe_memory_breakdown(_context, null, 0, null, _error, ErrorSize));
        Refused(ShimApi.moe_memory_breakdown(_context, null, 1, &count, _error, ErrorSize));

        Refused(ShimApi.moe_threadpool_new(0, &pool, _error, ErrorSize));
        Refused(ShimApi.moe_threadpool_new(513, &pool, _error, ErrorSize));
        Refused(ShimApi.moe_threadpool_new(1, null, _error, ErrorSize));
        ShimApi.moe_threadpool_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);

        // A context that llama.cpp itself refuses: quantized V without flash attention.
        parameters.flash_attn_type = llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED;
        parameters.type_v = ggml_type.GGML_TYPE_Q8_0;
        ShimApi.moe_context_init(Model, &parameters, &context, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
        (context == null).Should().BeTrue();
    }

    [Test]
    public void Decoding_and_sampling()
    {
        int result;
        int token = 1;
        float number;
        float[] logits = new float[_model.Vocabulary.Size];
        var data = new llama_token_data[_model.Vocabulary.Size];
        llama_batch batch = default;
        fixed (float* row = logits)
        fixed (llama_token_data* scratch = data)
        {
            nuint size = (nuint)logits.Length;
            Refused(ShimApi.moe_decode(null, &batch, &result, _error, ErrorSize));
            Refused(ShimApi.moe_decode(_context, null, &result, _error, ErrorSize));
            Refused(ShimApi.moe_decode(_context, &batch, null, _error, ErrorSize));
            Refused(ShimApi.moe_decode(_context, &batch, &result, _error, ErrorSize));
            batch.token = &token;
            foreach (int count in new[] { -1, 0, int.MaxValue })
            {
                batch.n_tokens = count;
                Refused(ShimApi.moe_decode(_context, &batch, &result, _error, ErrorSize));
            }

            batch.n_tokens = 1;
            foreach (int outside in new[] { -1, int.MinValue, logits.Length, int.MaxValue })
            {
                token = outside;
                ShimApi.moe_decode(_context, &batch, &result, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
                result.Should().BeNegative("llama.cpp refuses a token outside the vocabulary");
            }

            // Nothing was decoded, so there are no logits.
            ShimApi.moe_logits(_context, -1, row, size, _error, ErrorSize).Should().NotBe(moe_status.MOE_STATUS_OK);
            token = 1;
            ShimApi.moe_decode(_context, &batch, &result, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            result.Should().Be(0);

            foreach (int index in new[] { -2, 1, int.MaxValue, int.MinValue })
            {
                Refused(ShimApi.moe_logits(_context, index, row, size, _error, ErrorSize));
                Refused(ShimApi.moe_sample(_context, index, null, null, scratch, size, &token, _error, ErrorSize));
                Refused(ShimApi.moe_logprobs(_context, index, 0, &number, null, 0, _error, ErrorSize));
            }

            Refused(ShimApi.moe_logits(null, -1, row, size, _error, ErrorSize));
            Refused(ShimApi.moe_logits(_context, -1, null, size, _error, ErrorSize));
            Refused(ShimApi.moe_logits(_context, -1, row, size - 1, _error, ErrorSize));
            Refused(ShimApi.moe_sample(null, -1, null, null, scratch, size, &token, _error, ErrorSize));
            Refused(ShimApi.moe_sample(_context, -1, null, null, null, size, &token, _error, ErrorSize));
            Refused(ShimApi.moe_sample(_context, -1, null, null, scratch, size - 1, &token, _error, ErrorSize));
            Refused(ShimApi.moe_sample(_context, -1, null, null, scratch, size, null, _error, ErrorSize));
            Refused(ShimApi.moe_logprobs(null, -1, 0, &number, null, 0, _error, ErrorSize));
            Refused(ShimApi.moe_logprobs(_context, -1, 0, null, null, 0, _error, ErrorSize));
            Refused(ShimApi.moe_logprobs(_context, -1, -1, &number, null, 0, _error, ErrorSize));
            Refused(ShimApi.moe_logprobs(_context, -1, logits.Length, &number, null, 0, _error, ErrorSize));
            Refused(ShimApi.moe_logprobs(_context, -1, 0, &number, null, 1, _error, ErrorSize));

            ShimApi.moe_sample(_context, -1, null, null, scratch, size, &token, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            ShimApi.moe_logits(_context, 0, row, size, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            token.Should().Be(Array.IndexOf(logits, logits.Max()));
        }

        Refused(ShimApi.moe_memory_remove(null, 0, 0, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_remove(_context, 0, 0, null, _error, ErrorSize));
        Refused(ShimApi.moe_memory_remove(_context, 1, 0, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_remove(_context, int.MaxValue, 0, &result, _error, ErrorSize));
    }

    [Test]
    public void Embeddings_and_adapters()
    {
        moe_embedding_info info;
        Refused(ShimApi.moe_model_embedding_info(null, &info, _error, ErrorSize));
        Refused(ShimApi.moe_model_embedding_info(Model, null, _error, ErrorSize));
        ShimApi.moe_model_embedding_info(Model, &info, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        info.length.Should().Be(_model.Info.EmbeddingLength);
        info.causal.Should().Be(1);

        nuint size = (nuint)info.length;
        float* row = stackalloc float[info.length];
        Refused(ShimApi.moe_embeddings(null, 0, 1, row, size, _error, ErrorSize));
        Refused(ShimApi.moe_embeddings(_context, 0, 1, null, size, _error, ErrorSize));
        Refused(ShimApi.moe_embeddings(_context, -1, 1, row, size, _error, ErrorSize));
        Refused(ShimApi.moe_embeddings(_context, 0, 0, row, 0, _error, ErrorSize));
        Refused(ShimApi.moe_embeddings(_context, 0, 1, row, size - 1, _error, ErrorSize));
        Refused(ShimApi.moe_embeddings(_context, 0, 1, row, size, _error, ErrorSize));

        llama_adapter_lora* adapter;
        float scale = 1;
        fixed (byte* path = "/no/such/adapter.gguf\0"u8)
        {
            Refused(ShimApi.moe_adapter_load(null, path, &adapter, _error, ErrorSize));
            Refused(ShimApi.moe_adapter_load(Model, null, &adapter, _error, ErrorSize));
            Refused(ShimApi.moe_adapter_load(Model, path, null, _error, ErrorSize));
            ShimApi.moe_adapter_load(Model, path, &adapter, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            (adapter == null).Should().BeTrue();
        }

        ShimApi.moe_adapter_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        Refused(ShimApi.moe_adapters_set(null, &adapter, &scale, 1, _error, ErrorSize));
        Refused(ShimApi.moe_adapters_set(_context, null, &scale, 1, _error, ErrorSize));
        Refused(ShimApi.moe_adapters_set(_context, &adapter, null, 1, _error, ErrorSize));
        ShimApi.moe_adapters_set(_context, null, null, 0, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
    }

    [Test]
    public void Memories_and_states()
    {
        int result;
        int position;
        nuint size;
        byte* state = stackalloc byte[64];
        Refused(ShimApi.moe_memory_copy(null, 0, 0, _error, ErrorSize));
        Refused(ShimApi.moe_memory_copy(_context, 0, 0, _error, ErrorSize));
        Refused(ShimApi.moe_memory_copy(_context, 0, 1, _error, ErrorSize));
        Refused(ShimApi.moe_memory_copy(_context, -1, 0, _error, ErrorSize));
        Refused(ShimApi.moe_memory_discard(null, 0, 0, 1, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_discard(_context, 1, 0, 1, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_discard(_context, 0, -1, 1, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_discard(_context, 0, 2, 2, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_discard(_context, 0, 0, 1, null, _error, ErrorSize));
        Refused(ShimApi.moe_memory_update(null, _error, ErrorSize));
        Refused(ShimApi.moe_memory_can_shift(null, &result, _error, ErrorSize));
        Refused(ShimApi.moe_memory_can_shift(_context, null, _error, ErrorSize));
        Refused(ShimApi.moe_memory_range(null, 0, &position, &position, _error, ErrorSize));
        Refused(ShimApi.moe_memory_range(_context, 1, &position, &position, _error, ErrorSize));
        Refused(ShimApi.moe_memory_range(_context, 0, null, &position, _error, ErrorSize));
        Refused(ShimApi.moe_memory_range(_context, 0, &position, null, _error, ErrorSize));
        Refused(ShimApi.moe_state_size(null, 0, &size, _error, ErrorSize));
        Refused(ShimApi.moe_state_size(_context, -1, &size, _error, ErrorSize));
        Refused(ShimApi.moe_state_size(_context, 0, null, _error, ErrorSize));
        Refused(ShimApi.moe_state_get(null, 0, state, 64, &size, _error, ErrorSize));
        Refused(ShimApi.moe_state_get(_context, 1, state, 64, &size, _error, ErrorSize));
        Refused(ShimApi.moe_state_get(_context, 0, null, 64, &size, _error, ErrorSize));
        Refused(ShimApi.moe_state_get(_context, 0, state, 64, null, _error, ErrorSize));
        ShimApi.moe_state_get(_context, 0, state, 1, &size, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
        Refused(ShimApi.moe_state_set(null, 0, state, 64, _error, ErrorSize));
        Refused(ShimApi.moe_state_set(_context, 1, state, 64, _error, ErrorSize));
        Refused(ShimApi.moe_state_set(_context, 0, null, 64, _error, ErrorSize));
        Refused(ShimApi.moe_state_set(_context, 0, state, 0, _error, ErrorSize));
        new Span<byte>(state, 64).Fill(0xee);
        ShimApi.moe_state_set(_context, 0, state, 64, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
    }

    [Test]
    public void Vocabularies()
    {
        nuint count;
        int* tokens = stackalloc int[4];
        byte* bytes = stackalloc byte[4];
        llama_sampler* sampler;
        fixed (byte* text = "several words of text\0"u8)
        fixed (byte* grammar = "root ::= \"a\0"u8)
        fixed (byte* root = "root\0"u8)
        {
            Refused(ShimApi.moe_tokenize(null, text, 5, 1, 0, tokens, 4, &count, _error, ErrorSize));
            Refused(ShimApi.moe_tokenize(Vocabulary, null, 5, 1, 0, tokens, 4, &count, _error, ErrorSize));
            Refused(ShimApi.moe_tokenize(Vocabulary, text, 5, 1, 0, null, 4, &count, _error, ErrorSize));
            Refused(ShimApi.moe_tokenize(Vocabulary, text, 5, 1, 0, tokens, 4, null, _error, ErrorSize));
            Refused(ShimApi.moe_tokenize(Vocabulary, text, (nuint)uint.MaxValue, 1, 0, tokens, 4, &count, _error, ErrorSize));
            ShimApi.moe_tokenize(Vocabulary, text, 21, 0, 0, null, 0, &count, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_BUFFER_TOO_SMALL);
            ((int)count).Should().BeGreaterThan(1);

            Refused(ShimApi.moe_sampler_grammar(null, grammar, root, &sampler, _error, ErrorSize));
            Refused(ShimApi.moe_sampler_grammar(Vocabulary, null, root, &sampler, _error, ErrorSize));
            Refused(ShimApi.moe_sampler_grammar(Vocabulary, grammar, null, &sampler, _error, ErrorSize));
            Refused(ShimApi.moe_sampler_grammar(Vocabulary, grammar, root, null, _error, ErrorSize));
            ShimApi.moe_sampler_grammar(Vocabulary, grammar, root, &sampler, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            ErrorText.Should().Be("the grammar does not parse");
        }

        Refused(ShimApi.moe_token_to_piece(null, 0, 1, bytes, 4, &count, _error, ErrorSize));
        Refused(ShimApi.moe_token_to_piece(Vocabulary, 0, 1, null, 4, &count, _error, ErrorSize));
        Refused(ShimApi.moe_token_to_piece(Vocabulary, 0, 1, bytes, 4, null, _error, ErrorSize));
        foreach (int outside in new[] { -1, _model.Vocabulary.Size, int.MaxValue, int.MinValue })
        {
            Refused(ShimApi.moe_token_to_piece(Vocabulary, outside, 1, bytes, 4, &count, _error, ErrorSize));
            tokens[0] = outside;
            Refused(ShimApi.moe_detokenize(Vocabulary, tokens, 1, 0, 0, bytes, 4, &count, _error, ErrorSize));
        }

        tokens[0] = 300;
        ShimApi.moe_token_to_piece(Vocabulary, 300, 1, null, 0, &count, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_BUFFER_TOO_SMALL);
        ((int)count).Should().BePositive();
        Refused(ShimApi.moe_detokenize(null, tokens, 1, 0, 0, bytes, 4, &count, _error, ErrorSize));
        Refused(ShimApi.moe_detokenize(Vocabulary, null, 1, 0, 0, bytes, 4, &count, _error, ErrorSize));
        Refused(ShimApi.moe_detokenize(Vocabulary, tokens, 1, 0, 0, null, 4, &count, _error, ErrorSize));
        Refused(ShimApi.moe_detokenize(Vocabulary, tokens, 1, 0, 0, bytes, 4, null, _error, ErrorSize));
        ShimApi.moe_detokenize(Vocabulary, tokens, 1, 0, 0, null, 0, &count, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_BUFFER_TOO_SMALL);
    }

    [Test]
    public void Chats_and_schemas()
    {
        moe_chat* chat;
        moe_chat_parser* parser;
        moe_text* made;
        llama_sampler* sampler;
        byte* data;
        nuint size;
        fixed (byte* template = "chatml\0"u8)
        fixed (byte* broken = "{% if %}\0"u8)
        fixed (byte* text = "no JSON\0"u8)
        fixed (byte* empty = "{}\0"u8)
        fixed (byte* request = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\0"u8)
        {
            Refused(ShimApi.moe_chat_init(null, template, &chat, _error, ErrorSize));
            Refused(ShimApi.moe_chat_init(Model, template, null, _error, ErrorSize));
            ShimApi.moe_chat_init(Model, broken, &chat, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            (chat == null).Should().BeTrue();
            ShimApi.moe_chat_init(Model, template, &chat, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);

            Refused(ShimApi.moe_chat_describe(null, &made, _error, ErrorSize));
            Refused(ShimApi.moe_chat_describe(chat, null, _error, ErrorSize));
            Refused(ShimApi.moe_chat_render(null, request, &made, _error, ErrorSize));
            Refused(ShimApi.moe_chat_render(chat, null, &made, _error, ErrorSize));
            Refused(ShimApi.moe_chat_render(chat, request, null, _error, ErrorSize));
            foreach (nint wrong in new[] { (nint)text, (nint)empty })
            {
                ShimApi.moe_chat_render(chat, (byte*)wrong, &made, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
                ShimApi.moe_chat_sampler(Vocabulary, (byte*)wrong, &sampler, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
                ShimApi.moe_chat_parser_init((byte*)wrong, &parser, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_FAILED);
            }

            ShimApi.moe_chat_render(chat, request, &made, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            Refused(ShimApi.moe_text_get(null, &data, &size, _error, ErrorSize));
            Refused(ShimApi.moe_text_get(made, null, &size, _error, ErrorSize));
            Refused(ShimApi.moe_text_get(made, &data, null, _error, ErrorSize));
            ShimApi.moe_text_get(made, &data, &size, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            byte[] rendered = [.. new ReadOnlySpan<byte>(data, (int)size), 0];
            ShimApi.moe_text_free(made, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            fixed (byte* json = rendered)
            {
                Refused(ShimApi.moe_chat_sampler(null, json, &sampler, _error, ErrorSize));
                Refused(ShimApi.moe_chat_sampler(Vocabulary, null, &sampler, _error, ErrorSize));
                Refused(ShimApi.moe_chat_sampler(Vocabulary, json, null, _error, ErrorSize));
                ShimApi.moe_chat_sampler(Vocabulary, json, &sampler, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
                (sampler == null).Should().BeTrue("it asks for no grammar");
                Refused(ShimApi.moe_chat_parser_init(null, &parser, _error, ErrorSize));
                Refused(ShimApi.moe_chat_parser_init(json, null, _error, ErrorSize));
                ShimApi.moe_chat_parser_init(json, &parser, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
            }

            Refused(ShimApi.moe_chat_parse(null, text, 1, 1, &made, _error, ErrorSize));
            Refused(ShimApi.moe_chat_parse(parser, null, 1, 1, &made, _error, ErrorSize));
            Refused(ShimApi.moe_chat_parse(parser, text, 1, 1, null, _error, ErrorSize));
        }

        ShimApi.moe_chat_free(chat, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ShimApi.moe_chat_parser_free(parser, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ShimApi.moe_chat_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ShimApi.moe_chat_parser_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
        ShimApi.moe_text_free(null, _error, ErrorSize).Should().Be(moe_status.MOE_STATUS_OK);
    }

    private string ErrorText => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(_error));

    private void Refused(moe_status status)
    {
        status.Should().Be(Invalid);
        ErrorText.Should().NotBeEmpty();
        _error[0] = 0;
    }
}

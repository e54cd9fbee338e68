using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using MoeOffload.Native.Generated;

namespace MoeOffload.Coexistence;

/// <summary>A llama.cpp under upstream's own file names, used as another library of the process would: straight from C.</summary>
internal sealed unsafe class Upstream
{
    private const int RtldNow = 2;
    private const int RtldGlobal = 0x100;
    private const int ContextLength = 256;

    private static readonly List<string> s_lines = [];

    private readonly nint _base;
    private readonly nint _ggml;
    private readonly nint _llama;

    /// <summary>Loads and initialises the libraries of a folder.</summary>
    public Upstream(string directory, bool globally)
    {
        int flags = RtldNow | (globally ? RtldGlobal : 0);
        _base = Open(Path.Combine(directory, "libggml-base.so"), flags);
        _ggml = Open(Path.Combine(directory, "libggml.so"), flags);
        _llama = Open(Path.Combine(directory, "libllama.so"), flags);
        ((delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<ggml_log_level, byte*, void*, void>, void*, void>)Llama("llama_log_set"))(&OnLog, null);
        fixed (byte* path = Terminated(Path.Combine(directory, "libggml-cpu.so")))
        {
            ((delegate* unmanaged[Cdecl]<byte*, void*>)NativeLibrary.GetExport(_ggml, "ggml_backend_load"))(path);
        }

        ((delegate* unmanaged[Cdecl]<void>)Llama("llama_backend_init"))();
    }

    /// <summary>Its log so far.</summary>
    public static int LineCount
    {
        get
        {
            lock (s_lines)
            {
                return s_lines.Count;
            }
        }
    }

    /// <summary>How many backends it has registered.</summary>
    public int BackendCount => (int)((delegate* unmanaged[Cdecl]<nuint>)NativeLibrary.GetExport(_ggml, "ggml_backend_reg_count"))();

    /// <summary>Loads a model, continues a prompt greedily, and frees all.</summary>
    public int[] Generate(string path, string prompt, int count)
    {
        llama_model_params modelParameters = ((delegate* unmanaged[Cdecl]<llama_model_params>)Llama("llama_model_default_params"))();
        llama_model* model;
        fixed (byte* file = Terminated(path))
        {
            model = ((delegate* unmanaged[Cdecl]<byte*, llama_model_params, llama_model*>)Llama("llama_model_load_from_file"))(file, modelParameters);
        }

        llama_context_params parameters = ((delegate* unmanaged[Cdecl]<llama_context_params>)Llama("llama_context_default_params"))();
        parameters.n_ctx = ContextLength;
        parameters.n_threads = 1;
        parameters.n_threads_batch = 1;
        llama_context* context =
            ((delegate* unmanaged[Cdecl]<llama_model*, llama_context_params, llama_context*>)Llama("llama_init_from_model"))(model, parameters);
        int[] result = Continue(model, context, prompt, count);
        ((delegate* unmanaged[Cdecl]<llama_context*, void>)Llama("llama_free"))(context);
        ((delegate* unmanaged[Cdecl]<llama_model*, void>)Llama("llama_model_free"))(model);
        return result;
    }

    private int[] Continue(llama_model* model, llama_context* context, string prompt, int count)
    {
        var decode = (delegate* unmanaged[Cdecl]<llama_context*, llama_batch, int>)Llama("llama_decode");
        var one = (delegate* unmanaged[Cdecl]<int*, int, llama_batch>)Llama("llama_batch_get_one");
        var logits = (delegate* unmanaged[Cdecl]<llama_context*, int, float*>)Llama("llama_get_logits_ith");
        var vocabulary = ((delegate* unmanaged[Cdecl]<llama_model*, llama_vocab*>)Llama("llama_model_get_vocab"))(model);
        int size = ((delegate* unmanaged[Cdecl]<llama_vocab*, int>)Llama("llama_vocab_n_tokens"))(vocabulary);

        int* tokens = stackalloc int[ContextLength];
        int length = Tokenize(vocabulary, prompt, tokens);
        List<int> result = [];
        for (llama_batch batch = one(tokens, length); result.Count < count; batch = one(tokens, 1))
        {
            if (decode(context, batch) != 0)
            {
                throw new InvalidOperationException("Upstream's llama_decode failed.");
            }

            tokens[0] = IndexOfMax(new ReadOnlySpan<float>(logits(context, -1), size));
            result.Add(tokens[0]);
        }

        return [.. result];
    }

    private int Tokenize(llama_vocab* vocabulary, string prompt, int* tokens)
    {
        byte[] text = Terminated(prompt);
        fixed (byte* bytes = text)
        {
            return ((delegate* unmanaged[Cdecl]<llama_vocab*, byte*, int, int*, int, byte, byte, int>)Llama("llama_tokenize"))(
                vocabulary, bytes, text.Length - 1, tokens, ContextLength, 1, 1);
        }
    }

    private nint Llama(string function) => NativeLibrary.GetExport(_llama, function);

    private static int IndexOfMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint Open(string path, int flags)
    {
        fixed (byte* file = Terminated(path))
        {
            nint handle = DlOpen(file, flags);
            return handle != 0 ? handle : throw new DllNotFoundException(Marshal.PtrToStringUTF8(DlError()));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(ggml_log_level level, byte* text, void* data)
    {
        lock (s_lines)
        {
            s_lines.Add(Marshal.PtrToStringUTF8((nint)text)!);
        }
    }

    [DllImport("libc.so.6", EntryPoint = "dlopen")]
    private static extern nint DlOpen(byte* path, int flags);

    [DllImport("libc.so.6", EntryPoint = "dlerror")]
    private static extern nint DlError();
}

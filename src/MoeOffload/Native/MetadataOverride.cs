using System.Text;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Metadata overrides in llama.cpp's layout.</summary>
internal static unsafe class MetadataOverride
{
    private const int TextSize = 127;

    /// <summary>The overrides, which are validated already, ended by one with an empty key.</summary>
    public static llama_model_kv_override* ToNative(IReadOnlyDictionary<string, MetadataValue> overrides, NativeMemoryScope scope)
    {
        llama_model_kv_override* entries = scope.Allocate<llama_model_kv_override>(overrides.Count + 1);
        int i = 0;
        foreach ((string key, MetadataValue value) in overrides)
        {
            llama_model_kv_override* entry = entries + i++;
            Encoding.UTF8.GetBytes(key, new Span<byte>(entry->key, TextSize));
            switch (value.Value)
            {
                case long integer:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_INT;
                    entry->Anonymous.val_i64 = integer;
                    break;
                case double number:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_FLOAT;
                    entry->Anonymous.val_f64 = number;
                    break;
                case bool truth:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_BOOL;
                    entry->Anonymous.val_bool = (byte)(truth ? 1 : 0);
                    break;
                default:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_STR;
                    Encoding.UTF8.GetBytes((string)value.Value, new Span<byte>(entry->Anonymous.val_str, TextSize));
                    break;
            }
        }

        return entries;
    }
}

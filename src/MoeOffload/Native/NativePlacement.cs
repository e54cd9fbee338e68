using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Placement rules on their way to llama.cpp: checked with its own regular expressions and buffer types.</summary>
internal static unsafe class NativePlacement
{
    // A sane pattern takes some thousand steps for a name of at most 64 characters.
    private const ulong MaxSteps = 200_000;

    /// <summary>For each rule, which of the names it decides: those it matches first.</summary>
    /// <exception cref="PlacementException">A pattern is malformed or explodes.</exception>
    public static int[] FirstMatches(TensorPlacement placement, IReadOnlyList<string> names)
    {
        int[] decided = new int[names.Count];
        Array.Fill(decided, -1);
        using var scope = new NativeMemoryScope();
        byte** pointers = (byte**)scope.Allocate<nint>(names.Count);
        for (int i = 0; i < names.Count; i++)
        {
            pointers[i] = scope.Text(names[i], "A tensor name");
        }

        byte[] matched = new byte[names.Count];
        byte* error = stackalloc byte[NativeError.BufferSize];
        for (int rule = 0; rule < placement.Rules.Count; rule++)
        {
            string pattern = placement.Rules[rule].Pattern;
            fixed (byte* text = Utf8.ToTerminated(pattern, "A placement pattern"))
            fixed (byte* found = matched)
            {
                moe_status status = ShimApi.moe_regex_match(
                    text, pointers, (nuint)names.Count, MaxSteps, found, error, NativeError.BufferSize);
                if (status != moe_status.MOE_STATUS_OK)
                {
                    throw new PlacementException($"placement rule {rule + 1}, `{pattern}`: {NativeError.Reason(status, error)}");
                }
            }

            for (int i = 0; i < names.Count; i++)
            {
                if (decided[i] < 0 && matched[i] != 0)
                {
                    decided[i] = rule;
                }
            }
        }

        return decided;
    }

    /// <summary>The rules as llama.cpp takes them, ended by an empty one.</summary>
    /// <exception cref="PlacementException">There is no buffer type of a rule's name.</exception>
    public static llama_model_tensor_buft_override* ToNative(
        TensorPlacement placement, IReadOnlyList<NativeDevice> selected, NativeMemoryScope scope)
    {
        int limit = (int)LlamaApi.llama_max_tensor_buft_overrides();
        if (placement.Rules.Count >= limit)
        {
            throw new PlacementException($"{placement.Rules.Count} placement rules; llama.cpp takes at most {limit - 1}. Join patterns with |.");
        }

        // RPC devices of other models are left out: asking them may mean asking a server that is gone.
        List<(string Name, nint Type)> known = BufferTypes(
            [.. NativeDevice.All().Where(device => device.Kind != DeviceKind.Rpc), .. selected.Where(device => device.Kind == DeviceKind.Rpc)]);
        llama_model_tensor_buft_override* rules = scope.Allocate<llama_model_tensor_buft_override>(placement.Rules.Count + 1);
        for (int i = 0; i < placement.Rules.Count; i++)
        {
            PlacementRule rule = placement.Rules[i];
            rules[i].pattern = scope.Text(rule.Pattern, "A placement pattern");
            rules[i].buft = (ggml_backend_buffer_type*)known.Find(type => type.Name == rule.Buffer).Type;
            if (rules[i].buft == null)
            {
                throw new PlacementException(
                    $"placement rule {i + 1}, `{rule.Pattern}`: there is no buffer '{rule.Buffer}'. Known buffers: {string.Join(", ", known.Select(type => type.Name))}.");
            }
        }

        return rules;
    }

    private static List<(string Name, nint Type)> BufferTypes(List<NativeDevice> devices)
    {
        List<(string Name, nint Type)> types = [];
        foreach (NativeDevice device in devices)
        {
            ggml_backend_buffer_type* type;
            for (int i = 0; ShimApi.moe_device_buffer_type(device.Pointer, i, &type, null, 0) == moe_status.MOE_STATUS_OK && type != null; i++)
            {
                types.Add((Utf8.ToString(GgmlBackendApi.ggml_backend_buft_name(type)), (nint)type));
            }
        }

        return types;
    }
}

using MoeOffload.Gguf;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Converts placement rules for llama.cpp, and checks them with its own regular expressions and buffer types.</summary>
internal static class PlacementRules
{
    /// <summary>Finds the first rule that matches each name, or -1 if none does.</summary>
    /// <exception cref="PlacementException">A pattern is not valid, or matching takes too many steps.</exception>
    public static int[] FirstMatches(TensorPlacement placement, IReadOnlyList<string> names)
    {
        int[] decided = new int[names.Count];
        Array.Fill(decided, -1);
        using var patterns = new NativePatterns(names);
        for (int rule = 0; rule < placement.Rules.Count; rule++)
        {
            string pattern = placement.Rules[rule].Pattern;
            if (!patterns.TryMatch(pattern, out bool[] matches, out string reason))
            {
                throw new PlacementException($"placement rule {rule + 1}, `{pattern}`: {reason}");
            }

            for (int i = 0; i < names.Count; i++)
            {
                if (decided[i] < 0 && matches[i])
                {
                    decided[i] = rule;
                }
            }
        }

        return decided;
    }

    /// <summary>Finds the buffer of each rule.</summary>
    /// <exception cref="PlacementException">A rule's buffer type does not exist, or there are too many rules.</exception>
    public static (string Pattern, NativeBufferType Buffer)[] ToNative(TensorPlacement placement, IReadOnlyList<NativeDevice> selected)
    {
        if (placement.Rules.Count > ModelSettings.MaxRules)
        {
            throw new PlacementException(
                $"{placement.Rules.Count} placement rules; llama.cpp supports at most {ModelSettings.MaxRules}. Join patterns with |.");
        }

        if (placement.Rules.Count == 0)
        {
            return [];
        }

        // RPC devices of other models are left out, since querying them may access a server that is no longer running.
        List<NativeBufferType> known = NativeBufferType.Of(
        [
            .. NativeDevice.All().Where(device => device.Kind != NativeDeviceKind.Rpc),
            .. selected.Where(device => device.Kind == NativeDeviceKind.Rpc),
        ]);
        return [.. placement.Rules.Select((rule, i) => (rule.Pattern, Find(known, rule, i)))];
    }

    /// <summary>Checks that the CPU can compute with the tensors that rules place in its buffers for rearranged weights. llama.cpp does not check it.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="tensors">The tensors of the model.</param>
    /// <param name="decided">The rule of each tensor that one matches.</param>
    /// <exception cref="PlacementException">The CPU cannot compute with a tensor in its buffer.</exception>
    public static void CheckTypes(
        IReadOnlyList<(string Pattern, NativeBufferType Buffer)> rules, IEnumerable<GgufTensorInfo> tensors, Dictionary<string, int> decided)
    {
        foreach (GgufTensorInfo tensor in tensors)
        {
            if (!decided.TryGetValue(tensor.Name, out int rule) || rules[rule].Buffer is not { IsRearranging: true } buffer)
            {
                continue;
            }

            bool isLookup = tensor.Name.StartsWith("token_embd", StringComparison.Ordinal);
            if (!buffer.CanCompute(isLookup, tensor.Type, tensor.Dimensions))
            {
                throw new PlacementException(
                    $"placement rule {rule + 1}, `{rules[rule].Pattern}`: the CPU cannot compute with the tensor '{tensor.Name}' of type "
                    + $"{tensor.Type} in the buffer '{buffer.Name}'. Place it in the buffer 'CPU', for example with a rule before this one.");
            }
        }
    }

    private static NativeBufferType Find(List<NativeBufferType> known, PlacementRule rule, int index)
    {
        int at = known.FindIndex(type => type.Name == rule.Buffer);
        return at >= 0
            ? known[at]
            : throw new PlacementException(
                $"placement rule {index + 1}, `{rule.Pattern}`: there is no buffer '{rule.Buffer}'. Known buffers: {string.Join(", ", known.Select(type => type.Name))}.");
    }
}

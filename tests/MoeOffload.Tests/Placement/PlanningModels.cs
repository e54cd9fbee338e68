using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload.Tests.Placement;

/// <summary>Models without files, whose sizes are easy to add up, for tests of the planner.</summary>
internal static class PlanningModels
{
    public const long Mebibyte = 1 << 20;

    /// <summary>The size of a layer's attention, norms and router.</summary>
    public const long Dense = 4 * Mebibyte;

    /// <summary>The size of one of the three matrices of a layer's experts.</summary>
    public const long Part = 32 * Mebibyte;

    /// <summary>The size of the output layer, and of the embeddings.</summary>
    public const long Output = 16 * Mebibyte;

    /// <summary>A model with experts in all layers, whose KV cache takes 1 MiB in a layer for 512 tokens.</summary>
    public static PlacementModel Moe(int layers = 8) => new()
    {
        Tensors =
        [
            new PlacementTensor("token_embd.weight", Output),
            new PlacementTensor("output.weight", Output),
            .. Enumerable.Range(0, layers).SelectMany(layer => new[]
            {
                new PlacementTensor($"blk.{layer}.attn_q.weight", Dense),
                new PlacementTensor($"blk.{layer}.ffn_up_exps.weight", Part),
                new PlacementTensor($"blk.{layer}.ffn_gate_exps.weight", Part),
                new PlacementTensor($"blk.{layer}.ffn_down_exps.weight", Part),
            }),
        ],
        LayerCount = layers,
        ExpertCount = 32,
        ExpertUsedCount = 4,
        TrainedContextLength = 1 << 15,
        LayerCache = [.. Enumerable.Repeat((512, 512), layers)],
        EmbeddingLength = 512,
        FeedForwardLength = 1024,
        VocabularySize = 4096,
    };

    /// <summary>A problem with devices of certain sizes and much system memory, without a margin.</summary>
    public static PlacementProblem Problem(PlacementModel model, params long[] devices) => new()
    {
        Model = model,
        Devices = [.. devices.Select((bytes, i) => new PlacementDevice($"GPU{i}", bytes))],
        HostBytes = 1L << 40,
        Margin = 0,
        Context = new ContextShape { Length = 512 },
    };

    /// <summary>Gets the place of a tensor in a plan by llama.cpp's own rules: the index of a device, or -1 for system memory.</summary>
    public static int PlaceOf(PlacementProblem problem, PlacementPlan plan, string tensor)
    {
        if (plan.Placement.RuleFor(tensor) is { } rule)
        {
            string buffer = plan.Placement.Rules[rule].Buffer;
            return problem.Devices.ToList().FindIndex(device => device.Buffer == buffer);
        }

        if (plan.ExpertMemory is not null && ExpertTensors.IsExpert(tensor))
        {
            return -1;
        }

        int end = problem.Model.LayerCount + 1;
        int layer = tensor.StartsWith("token_", StringComparison.Ordinal) ? -1
            : tensor.StartsWith("blk.", StringComparison.Ordinal) ? int.Parse(tensor.Split('.')[1], CultureInfo.InvariantCulture)
            : end - 1;
        int layers = Math.Min(plan.GpuLayers, end);
        int position = layer - (end - layers);
        if (layer < 0 || position < 0 || plan.Devices.Count == 0)
        {
            return -1;
        }

        float[] shares = [.. plan.TensorSplit ?? [1]];
        float[] sums = [.. shares.Select((_, i) => shares[..(i + 1)].Sum() / shares.Sum())];
        int used = Array.FindIndex(sums, sum => sum > (float)position / layers);
        return problem.Devices.ToList().FindIndex(device => device.Name == plan.Devices[used]);
    }
}

using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Placement;

/// <summary>Finds changes with which a model fits that does not fit as it is. Each one is planned, and is listed only if it fits.</summary>
internal static class PlanAlternatives
{
    private const int ShortestContext = 256;
    private const long Mebibyte = 1 << 20;

    private static readonly GgmlType[] s_smallerTypes = [GgmlType.Q8_0, GgmlType.Q4_0];
    private static readonly int[] s_smallerBatches = [512, 128];

    /// <summary>Adds alternatives to a plan, if it does not fit.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="plan">The plan for it.</param>
    /// <param name="replan">Plans a changed problem.</param>
    public static PlacementPlan AddTo(PlacementProblem problem, PlacementPlan plan, Func<PlacementProblem, PlacementPlan> replan)
    {
        if (plan.Fits)
        {
            return plan;
        }

        problem = problem with { Context = plan.Context };
        List<PlacementAlternative> found =
        [
            .. new[] { Contexts(problem), Types(problem), Sequences(problem), Batches(problem), ExpertLimits(problem, plan) }
                .Select(changes => FirstFitting(changes, replan))
                .OfType<PlacementAlternative>(),
        ];
        return plan with { Alternatives = found.Count > 0 ? found : [.. Together(problem, replan)] };
    }

    private static PlacementAlternative? FirstFitting(IEnumerable<(string, PlacementProblem)> changes, Func<PlacementProblem, PlacementPlan> replan)
    {
        foreach ((string description, PlacementProblem changed) in changes)
        {
            PlacementPlan plan = replan(changed);
            if (plan.Fits)
            {
                return new PlacementAlternative(description, plan.Context, plan.ExpertMemory, plan.Memory);
            }
        }

        return null;
    }

    private static IEnumerable<(string, PlacementProblem)> Contexts(PlacementProblem problem)
    {
        int shortest = problem.Context.IsUnified ? ShortestContext : ShortestContext * problem.Context.SequenceCount;
        for (int length = problem.Context.Length / 2; length >= shortest; length /= 2)
        {
            yield return (Invariant($"a context of {length} tokens"), With(problem, context => context with { Length = length }));
        }
    }

    private static IEnumerable<(string, PlacementProblem)> Types(PlacementProblem problem)
    {
        foreach (GgmlType type in s_smallerTypes.Where(type => IsSmaller(problem, type)))
        {
            yield return (
                $"keys and values of the type {GgmlTypeInfo.Get(type).Name} in the KV cache",
                With(problem, context => context with { KeyType = type, ValueType = type }));
        }
    }

    // Each request keeps its part of the context.
    private static IEnumerable<(string, PlacementProblem)> Sequences(PlacementProblem problem)
    {
        ContextShape context = problem.Context;
        for (int count = context.SequenceCount / 2; count >= 1; count /= 2)
        {
            int length = context.IsUnified ? context.Length : (int)((long)context.Length * count / context.SequenceCount);
            yield return (
                Invariant($"{count} {(count == 1 ? "request" : "requests")} at a time, with a context of {length} tokens"),
                With(problem, shape => shape with { SequenceCount = count, Length = length }));
        }
    }

    private static IEnumerable<(string, PlacementProblem)> Batches(PlacementProblem problem)
    {
        foreach (int size in s_smallerBatches.Where(size => size < MicroBatch(problem)))
        {
            yield return (Invariant($"a micro-batch of {size} tokens"), With(problem, context => context with { MicroBatchSize = size }));
        }
    }

    private static IEnumerable<(string, PlacementProblem)> ExpertLimits(PlacementProblem problem, PlacementPlan plan)
    {
        long lacking = plan.Lacking.Where(shortage => shortage.Device == DeviceTotal.Host).Sum(shortage => shortage.Bytes);
        long held = Math.Min(plan.HostExpertBytes, problem.ExpertMemory ?? long.MaxValue);
        long limit = (held - lacking) / Mebibyte * Mebibyte;
        if (lacking > 0 && limit > 0 && limit >= problem.Model.LeastExpertBytes)
        {
            yield return (Invariant($"a limit of {limit / Mebibyte} MiB for the memory of experts"), problem with { ExpertMemory = limit });
        }
    }

    // Everything at once that costs little, and the longest context that then fits.
    private static IEnumerable<PlacementAlternative> Together(PlacementProblem problem, Func<PlacementProblem, PlacementPlan> replan)
    {
        GgmlType type = s_smallerTypes[0];
        bool isSmaller = IsSmaller(problem, type);
        for (int length = problem.Context.Length; length >= ShortestContext; length /= 2)
        {
            PlacementProblem changed = With(problem, context => context with
            {
                Length = length,
                SequenceCount = 1,
                KeyType = isSmaller ? type : context.KeyType,
                ValueType = isSmaller ? type : context.ValueType,
                MicroBatchSize = Math.Min(context.MicroBatchSize ?? s_smallerBatches[^1], s_smallerBatches[^1]),
            });
            PlacementPlan plan = replan(changed);
            (string What, PlacementProblem Problem) limited = ExpertLimits(changed, plan).FirstOrDefault();
            PlacementPlan final = plan.Fits || limited.Problem is null ? plan : replan(limited.Problem);
            if (final.Fits)
            {
                string description = Join(
                    problem.Context.SequenceCount > 1 ? "one request at a time" : null,
                    length < problem.Context.Length ? Invariant($"a context of {length} tokens") : null,
                    changed.Context.MicroBatchSize < MicroBatch(problem) ? Invariant($"a micro-batch of {changed.Context.MicroBatchSize} tokens") : null,
                    isSmaller ? $"keys and values of the type {GgmlTypeInfo.Get(type).Name} in the KV cache" : null,
                    plan.Fits ? null : limited.What);
                yield return new PlacementAlternative(description, final.Context, final.ExpertMemory, final.Memory);
                yield break;
            }
        }
    }

    private static int MicroBatch(PlacementProblem problem) =>
        Math.Min(problem.Context.MicroBatch(problem.Devices.Count > 0 && problem.Model.ExpertCount > 0), problem.Context.Length);

    private static string Join(params string?[] changes)
    {
        string[] all = [.. changes.OfType<string>()];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])}, and {all[^1]}";
    }

    // A row of quantized values consists of whole blocks.
    private static bool IsSmaller(PlacementProblem problem, GgmlType type)
    {
        GgmlTypeInfo info = GgmlTypeInfo.Get(type);
        return info.BitsPerElement < GgmlTypeInfo.Get(problem.Context.KeyType).BitsPerElement
            && info.BitsPerElement < GgmlTypeInfo.Get(problem.Context.ValueType).BitsPerElement
            && problem.Model.LayerCache.All(layer => layer.Key % info.BlockSize == 0 && layer.Value % info.BlockSize == 0);
    }

    private static PlacementProblem With(PlacementProblem problem, Func<ContextShape, ContextShape> change) => problem with { Context = change(problem.Context) };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

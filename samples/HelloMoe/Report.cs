using System.Globalization;
using MoeOffload;

namespace HelloMoe;

/// <summary>Writes where the tensors are and how fast the model generated.</summary>
internal static class Report
{
    public static void Write(MoeModel model)
    {
        ModelInfo info = model.Info;
        Line($"{info.Name}: {info.Architecture}, {info.ParameterCount / 1e6:0.0} M parameters, {info.ExpertCount} experts, {info.ExpertUsedCount} used");
        Line($"{model.Placement.Rules.Sum(rule => rule.TensorCount)} tensors moved by placement rules");
        Console.WriteLine();
        model.Placement.WriteTo(Console.Out);
        Console.WriteLine();
    }

    public static void Write(GenerationSession session)
    {
        session.Memory.WriteTo(Console.Out);
        Line($"context {session.ContextLength} tokens, micro-batch {session.MicroBatchSize}, {session.Threads} threads");
        Console.WriteLine();
    }

    public static void Write(GenerationStatistics statistics, string? reason)
    {
        Console.WriteLine();
        Console.WriteLine();
        Line($"{statistics.GeneratedTokens} tokens ({reason}), {statistics.TokensPerSecond:0.0} tokens/s");
        Line($"TTFT {statistics.TimeToFirstToken.TotalMilliseconds:0} ms for {statistics.PromptTokens} prompt tokens");
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}

namespace MoeOffload.Benchmarks;

/// <summary>Writes the tables of <see cref="SharedCores"/> from its samples: ratios of each round, as their median and range.</summary>
internal static class SharedReport
{
    private const int Cores = 2;

    public static string Write(IReadOnlyList<SharedSample> samples)
    {
        string[] peers = [.. samples.Where(sample => sample.Measure == SharedSample.Decode && sample.Program != SharedSample.Ours).Select(sample => sample.Program).Distinct()];
        List<string> lines = ["Decode, ours to each at its best number of threads:", ""];
        AddSpeeds(lines, samples, peers, SharedSample.Decode);
        lines.AddRange(["", "Prompts of 256 tokens, likewise:", ""]);
        AddSpeeds(lines, samples, peers, SharedSample.Prompt);
        lines.AddRange(["", "Smoothness, and what is left to the others:", "", "| Model | Beside | 99 % of the tokens, in medians | The others, to beside one more busy process |", "| --- | --- | --- | --- |"]);
        lines.AddRange(
            from cell in Cells(samples)
            let plain = Find(samples, cell, SharedSample.Plain, SharedSample.Neighbors)
            select Row(
                cell.Model,
                $"{cell.Busy}",
                Range(Find(samples, cell, SharedSample.Ours, SharedSample.Unevenness)!.Rounds, "0.0"),
                plain is null ? "" : Range(Ratios(Find(samples, cell, SharedSample.Ours, SharedSample.Neighbors)!, plain))));
        lines.AddRange(["", "Time from loading to the first token, ours to theirs:", "", "| Model | To | Later in the process | First in the process |", "| --- | --- | --- | --- |"]);
        lines.AddRange(
            from theirs in samples
            where theirs.Measure == SharedSample.Load && theirs.Program != SharedSample.Ours
            let cell = (theirs.Model, theirs.Busy)
            let first = Find(samples, cell, theirs.Program, SharedSample.FirstLoad) ?? theirs
            select Row(
                theirs.Model,
                theirs.Program,
                Range(Ratios(Find(samples, cell, SharedSample.Ours, SharedSample.Load)!, theirs)),
                Range(Ratios(Find(samples, cell, SharedSample.Ours, SharedSample.FirstLoad)!, first))));
        return string.Join('\n', lines);
    }

    private static void AddSpeeds(List<string> lines, IReadOnlyList<SharedSample> samples, string[] peers, string measure)
    {
        lines.Add(Row(["Model", "Beside", .. peers, "Ours alone", "A fair share"]));
        lines.Add(Row(Enumerable.Repeat("---", peers.Length + 4)));
        lines.AddRange(
            from cell in Cells(samples)
            let ours = Find(samples, cell, SharedSample.Ours, measure)
            let alone = Find(samples, (cell.Model, 0), SharedSample.Ours, measure)
            select Row([
                cell.Model,
                $"{cell.Busy}",
                .. peers.Select(peer => Find(samples, cell, peer, measure) is { } theirs ? Range(Ratios(ours, theirs)) : ""),
                $"{ours.Median / alone.Median:0.00}",
                $"{(double)Cores / (Cores + cell.Busy):0.00}"]));
    }

    private static IEnumerable<(string Model, int Busy)> Cells(IEnumerable<SharedSample> samples) => samples.Select(sample => (sample.Model, sample.Busy)).Distinct();

    // Other programs are measured with several numbers of threads, of which the best counts.
    private static SharedSample? Find(IEnumerable<SharedSample> samples, (string Model, int Busy) cell, string program, string measure) =>
        samples
            .Where(sample => (sample.Model, sample.Busy) == cell && sample.Program == program && sample.Measure == measure)
            .OrderByDescending(sample => sample.Median)
            .FirstOrDefault();

    private static double[] Ratios(SharedSample ours, SharedSample theirs) => [.. ours.Rounds.Zip(theirs.Rounds, (our, their) => our / their)];

    private static string Range(IReadOnlyList<double> values, string format = "0.00") =>
        $"{Samples.Median(values).ToString(format)} [{values.Min().ToString(format)}, {values.Max().ToString(format)}]";

    private static string Row(params IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";
}

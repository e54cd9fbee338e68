using System.Globalization;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Describes the conditions of a measurement for captions.</summary>
internal static class Conditions
{
    /// <summary>Returns the conditions for captions: the devices, and whether the weights are synthetic.</summary>
    public static string Of(ModelEvidence model) => string.Join(" · ", new[] { model.IsSynthetic ? "synthetic weights" : string.Empty, DevicesOf(model) }.Where(part => part.Length > 0));

    /// <summary>Returns a caption with the conditions.</summary>
    public static string Caption(ModelEvidence model, string text) => $"{text} ({Of(model)})";

    /// <summary>Returns a warning if a benchmark has fewer repeats than recommended.</summary>
    /// <param name="model">The model.</param>
    /// <param name="bench">The benchmark.</param>
    /// <param name="least">The recommended number of repeats.</param>
    public static IEnumerable<Block> FewRounds(ModelEvidence model, string bench, int least)
    {
        long rounds = model.Protocol.Object(bench).Whole("rounds");
        if (rounds < least)
        {
            yield return new ParagraphBlock(
                string.Create(CultureInfo.InvariantCulture, $"{rounds} {(rounds == 1 ? "round" : "rounds")} only: below the {least} repeats that the protocol asks for."),
                IsWarning: true);
        }
    }

    private static string DevicesOf(ModelEvidence model) => model.Devices.Count == 0
        ? "CPU only, no second device"
        : string.Join(", ", model.Devices.Select(device => device.Text("kind") == "rpc"
            ? $"{device.Text("name")} is an RPC server{(device.Flag("local") ? " on the same machine" : string.Empty)}"
            : $"{device.Text("name")}: {device.Text("description")}"));
}

using System.Globalization;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Under what conditions a model was measured, in the words that stand beside its figures.</summary>
internal static class Conditions
{
    /// <summary>Synthetic weights and the devices, for the captions of tables and plots.</summary>
    public static string Of(ModelEvidence model) => string.Join(" · ", new[] { model.IsSynthetic ? "synthetic weights" : string.Empty, DevicesOf(model) }.Where(part => part.Length > 0));

    /// <summary>A caption, with the conditions.</summary>
    public static string Caption(ModelEvidence model, string text) => $"{text} ({Of(model)})";

    /// <summary>What is to be said where a bench has fewer repeats than the protocol asks for.</summary>
    /// <param name="model">The model.</param>
    /// <param name="bench">The bench.</param>
    /// <param name="least">The repeats that the protocol asks for.</param>
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

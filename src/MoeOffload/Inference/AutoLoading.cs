using System.Globalization;
using MoeOffload.Models;

namespace MoeOffload.Inference;

/// <summary>Plans the placement of a model that is loaded with <see cref="TensorPlacement.Auto"/>, and explains loads that fail nevertheless.</summary>
internal sealed class AutoLoading
{
    private const double Mebibyte = 1 << 20;

    private readonly PlacementPlan? _plan;

    private AutoLoading(ModelOptions options, PlacementPlan? plan) => (Options, _plan) = (options, plan);

    /// <summary>Gets a value that indicates whether the placement was planned.</summary>
    public bool IsPlanned => _plan is not null;

    /// <summary>Gets the plan, or <see langword="null"/> if the placement was not planned.</summary>
    public PlacementPlan? Result => _plan;

    /// <summary>Gets the options with the planned placement.</summary>
    public ModelOptions Options { get; }

    /// <summary>Plans the placement, if it is to be planned.</summary>
    /// <exception cref="ModelLoadException">The model does not fit. The message says what would.</exception>
    public static AutoLoading Plan(string path, ModelOptions options)
    {
        if (options.Placement.AutoPlan is not { } auto)
        {
            return new AutoLoading(options, null);
        }

        PlacementPlan plan = PlacementFit.Make(path, options, new ContextOptions().With(auto.Context), new FitOptions { Margin = auto.Margin });
        return plan.Fits ? new AutoLoading(options.WithPlan(plan), plan) : throw new ModelLoadException(Refusal(path, plan));
    }

    /// <summary>Plans the placement for an estimate, which can be made of what does not fit, too.</summary>
    public static ModelOptions PlanFor(string path, ModelOptions options, ContextOptions context) => options.Placement.AutoPlan is not { } auto
        ? options
        : options.WithPlan(PlacementFit.Make(path, options, context, new FitOptions { Margin = auto.Margin }));

    /// <summary>Adds to an error of loading what was planned, and what is free now.</summary>
    public ModelLoadException Explain(ModelLoadException error)
    {
        PlacementPlan plan = _plan!;
        long host = HostMemory.Available();
        DeviceInfo[] devices = DeviceSelection.Describe(plan.Devices);
        IEnumerable<string> lines = plan.Memory.Select(use =>
        {
            long? now = use.Device == DeviceTotal.Host ? host : devices.FirstOrDefault(device => device.Name == use.Device)?.FreeBytes;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{PlacementPlanner.NameOf(use.Device)}: {use.TotalBytes / Mebibyte:N0} MiB were planned of {use.FreeBytes / Mebibyte:N0} MiB, and {(now ?? 0) / Mebibyte:N0} MiB are free now");
        });
        return new ModelLoadException($"{error.Message} The placement was planned: {string.Join("; ", lines)}. If memory is missing, increase the margin of TensorPlacement.Auto.", error);
    }

    private static string Refusal(string path, PlacementPlan plan)
    {
        string change = plan.Alternatives.Count == 0
            ? "Use a model with a smaller quantization."
            : "It would fit with one of these changes: " + string.Join("; ", plan.Alternatives.Select(alternative =>
                $"{alternative.Description} ({string.Join(", ", alternative.Memory.Select(use => string.Create(CultureInfo.InvariantCulture, $"{use.TotalBytes / Mebibyte:N0} MiB of {PlacementPlanner.NameOf(use.Device)}")))})")) + ".";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' does not fit in memory with a context of {plan.Context.Length} tokens and a margin of {plan.Margin / Mebibyte:N0} MiB: {plan.Shortage}. {change}");
    }
}

using System.Globalization;
using MoeOffload.Models;
using MoeOffload.Placement;

namespace MoeOffload.Inference;

/// <summary>
/// Plans the placement of a model that is loaded with <see cref="TensorPlacement.Auto"/>, refuses plans that no longer fit, and explains loads
/// that fail nevertheless.
/// </summary>
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
            return new AutoLoading(options, options.Plan);
        }

        PlacementPlan plan = PlacementFit.Make(path, options, new ContextOptions().With(auto.Context), new FitOptions { Margin = auto.Margin });
        return plan.Fits ? new AutoLoading(options.WithPlan(plan), plan) : throw new ModelLoadException(Refusal(path, plan));
    }

    /// <summary>Plans the placement for an estimate, which can be made of what does not fit, too.</summary>
    public static ModelOptions PlanFor(string path, ModelOptions options, ContextOptions context) => options.Placement.AutoPlan is not { } auto
        ? options
        : options.WithPlan(PlacementFit.Make(path, options, context, new FitOptions { Margin = auto.Margin }));

    /// <summary>Compares the plan with the memory that is free now, which can be less than when it was made.</summary>
    /// <exception cref="ModelLoadException">What was planned no longer fits. The message has the plan and what is free.</exception>
    public void Check(string path)
    {
        if (_plan is not { } plan)
        {
            return;
        }

        // The devices of a plan that was made in another process may not be known to this one yet.
        ModelLoader.SelectDevices(Options);
        Dictionary<string, long> free = ReadFree(plan);
        if (PlanCheck.FindShortages(plan, free).Count > 0)
        {
            throw new ModelLoadException(
                $"'{path}' was not loaded, because less memory is free than was planned for: {PlanCheck.Compare(plan, free)}. Plan again with 'moe fit' or MoeModel.Fit, or end programs that use the memory.");
        }
    }

    /// <summary>Adds to an error of loading what was planned, and what is free now.</summary>
    public ModelLoadException Explain(ModelLoadException error)
    {
        PlacementPlan plan = _plan!;
        return new ModelLoadException(
            $"{error.Message} The placement was planned: {PlanCheck.Compare(plan, ReadFree(plan))}. If memory is missing, plan again with a larger margin ('--fit-margin', FitOptions.Margin, TensorPlacement.Auto).", error);
    }

    private static Dictionary<string, long> ReadFree(PlacementPlan plan)
    {
        var free = DeviceSelection.Describe(plan.Devices).ToDictionary(device => device.Name, device => device.FreeBytes, StringComparer.Ordinal);
        free[DeviceTotal.Host] = HostMemory.Available();
        return free;
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

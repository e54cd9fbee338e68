using MoeOffload.Gguf;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Inference;

/// <summary>
/// Plans a placement with the sizes that llama.cpp's allocator reports: lays the planned model out without its weights, corrects the costs by
/// what differs, and plans again, until the plan stays the same.
/// </summary>
internal sealed class PlacementFit
{
    private const int MostRounds = 12;

    private readonly string _path;
    private readonly ContextOptions _context;
    private readonly FitOptions _fit;
    private readonly FitMachine _machine;

    private PlacementFit(string path, ContextOptions context, FitOptions fit, FitMachine machine) =>
        (_path, _context, _fit, _machine) = (path, context, fit, machine);

    /// <summary>Plans the placement of a model and its context.</summary>
    public static PlacementPlan Make(string path, ModelOptions options, ContextOptions context, FitOptions fit)
    {
        options.Validate();
        context.Validate();
        fit.Validate();
        options = options with { Placement = options.Placement.WithoutAuto() };
        GgufModelFiles files = GgufModelFiles.Open(path);
        GgufModelCheck.Validate(files, options.MetadataOverrides);
        FitMachine machine = FitMachine.Find(options, fit);
        var model = PlacementModel.Read(files, options.LoadMtpLayers, options.MetadataOverrides);
        var planner = new PlacementFit(path, context, fit, machine);
        IReadOnlyList<MemoryUse> projector = planner.ProjectorMemory();
        PlacementProblem problem = WithoutProjector(projector, planner.WithoutDraft(new PlacementProblem
        {
            Model = machine.IsHere ? model : model with { Tensors = [.. model.Tensors, .. fit.Adapters.SelectMany(AdapterTensors)] },
            Devices = machine.Devices,
            HostBytes = machine.HostBytes,
            Margin = fit.Margin,
            Context = context.ToShape().Resolve(model.TrainedContextLength),
            Placement = options.Placement,
            GpuLayers = options.GpuLayers,
            TensorSplit = options.TensorSplit,
            ExpertMemory = options.Experts?.HostBytes,
        }));
        problem.Validate();
        PlacementPlan plan = planner.Plan(problem) with { ProjectorMemory = projector };
        return PlanAlternatives.AddTo(problem, plan, planner.TryPlan);
    }

    // An alternative that llama.cpp rejects, such as a type that the KV cache cannot have, is none.
    private PlacementPlan TryPlan(PlacementProblem problem)
    {
        try
        {
            return Plan(problem);
        }
        catch (MoeOffloadException)
        {
            return PlacementPlanner.Plan(problem, MemoryCosts.Estimate) with { Fits = false };
        }
    }

    private PlacementPlan Plan(PlacementProblem problem)
    {
        if (_machine.Options.SplitMode is SplitMode.Row or SplitMode.Tensor && _machine.IsHere)
        {
            // Tensors are divided among the devices, so there is nothing to choose.
            return Measure(problem, PlacementPlanner.Plan(problem, MemoryCosts.Estimate) with
            {
                Placement = problem.Placement,
                GpuLayers = problem.GpuLayers ?? problem.Model.LayerCount + 1,
                TensorSplit = problem.TensorSplit,
            });
        }

        return _machine.IsHere ? PlanHere(problem) : PlacementPlanner.Plan(problem, CostsElsewhere);
    }

    private PlacementPlan PlanHere(PlacementProblem problem)
    {
        MemoryCosts[] costs = [Calibrate(problem, expertsOffloaded: false), Calibrate(problem, expertsOffloaded: true)];
        var measured = new Dictionary<string, PlacementPlan>(StringComparer.Ordinal);
        for (int round = 0; round < MostRounds; round++)
        {
            PlacementPlan plan = PlacementPlanner.Plan(problem, (_, expertsOffloaded) => costs[expertsOffloaded ? 1 : 0]);
            ref MemoryCosts assumed = ref costs[plan.OffloadsExperts ? 1 : 0];
            if (measured.TryGetValue(plan.ToString(), out PlacementPlan? known))
            {
                if (known.Fits || plan.Lacking.Count > 0)
                {
                    break;
                }

                assumed = Increase(assumed, problem, known);
                continue;
            }

            PlacementPlan exact = Measure(problem, plan);
            measured.Add(plan.ToString(), exact);
            MemoryCosts corrected = Correct(assumed, problem, plan, exact);

            // Costs that only increase lead to a plan that fits, instead of back and forth between two that do not.
            assumed = round == 0 ? corrected : corrected with
            {
                DeviceComputeBytes = [.. corrected.DeviceComputeBytes.Zip(assumed.DeviceComputeBytes, Math.Max)],
                HostComputeBytes = Math.Max(corrected.HostComputeBytes, assumed.HostComputeBytes),
            };
        }

        if (!measured.Values.Any(plan => plan.Fits) && CanLeaveDevicesOut(problem))
        {
            PlacementPlan host = PlacementPlanner.Plan(problem with { Devices = [.. problem.Devices.Select(device => device with { FreeBytes = 0 })] }, (_, _) => costs[0]);
            measured[host.ToString()] = Measure(problem, host);
        }

        return measured.Values.OrderByDescending(plan => plan.Fits)
            .ThenByDescending(plan => plan.Fits ? plan.DeviceBytesPerToken : 0)
            .ThenBy(plan => plan.Lacking.Sum(shortage => shortage.Bytes))
            .First();
    }

    private static bool CanLeaveDevicesOut(PlacementProblem problem) => problem.Devices.Count > 0 && problem.GpuLayers is null && problem.TensorSplit is null
        && !problem.Placement.Rules.Any(rule => problem.Devices.Any(device => device.Buffer == rule.Buffer));

    private static MemoryCosts Increase(MemoryCosts costs, PlacementProblem problem, PlacementPlan plan)
    {
        long Lacking(string device) => plan.Lacking.Where(shortage => shortage.Device == device).Sum(shortage => shortage.Bytes);
        return costs with
        {
            DeviceComputeBytes = [.. costs.DeviceComputeBytes.Select((bytes, i) => bytes + Lacking(problem.Devices[i].Name))],
            HostComputeBytes = costs.HostComputeBytes + Lacking(DeviceTotal.Host),
        };
    }

    // Lays out a model with all experts on the devices, or none, whether they fit or not.
    private MemoryCosts Calibrate(PlacementProblem problem, bool expertsOffloaded)
    {
        var costs = MemoryCosts.Estimate(problem, expertsOffloaded);
        bool hasExperts = problem.Devices.Count > 0 && problem.Model.Tensors.Any(tensor => ExpertTensors.IsExpert(tensor.Name));
        if (expertsOffloaded && !hasExperts)
        {
            return costs;
        }

        PlacementProblem boundless = problem with
        {
            Devices = [.. problem.Devices.Select(device => device with { FreeBytes = Boundless(device) })],
            HostBytes = long.MaxValue / 4,
            ExpertMemory = null,
            Placement = expertsOffloaded ? problem.Placement.Then(TensorPlacement.ExpertsToCpu()) : problem.Placement,
        };
        PlacementPlan plan = PlacementPlanner.Plan(boundless, (_, _) => costs);
        PlacementPlan exact = Measure(boundless, plan);
        return Correct(costs, boundless, plan, exact);

        // The layers are split as their memory is.
        static long Boundless(PlacementDevice device) => Math.Max(1, device.FreeBytes) * 1024;
    }

    private static MemoryCosts Correct(MemoryCosts costs, PlacementProblem problem, PlacementPlan plan, PlacementPlan exact)
    {
        long[] layers = [.. costs.LayerContextBytes];
        long[] devices = [.. costs.DeviceComputeBytes];
        int first = problem.Model.LayerCount + 1 - plan.LayerCounts.Sum();
        int next = first;
        Scale(layers, 0, problem.Context.IsOffloaded ? first : layers.Length, plan.Memory[^1].ContextBytes, exact.Memory[^1].ContextBytes);
        for (int i = 0; i < devices.Length; i++)
        {
            int count = plan.LayerCounts[i];
            Scale(layers, next, next + count, plan.Memory[i].ContextBytes, exact.Memory[i].ContextBytes);
            long context = problem.Context.IsOffloaded ? layers.Skip(next).Take(count).Sum() : 0;
            long other = exact.Memory[i].TotalBytes - plan.Memory[i].WeightBytes - context;
            devices[i] = exact.Memory[i].TotalBytes > 0 ? Math.Max(0, other) : devices[i];
            next += count;
        }

        long host = exact.Memory[^1].TotalBytes - costs.OtherHostBytes - plan.Memory[^1].WeightBytes
            - (problem.Context.IsOffloaded ? layers.Take(first).Sum() : layers.Sum());
        return costs with { LayerContextBytes = layers, DeviceComputeBytes = devices, HostComputeBytes = Math.Max(0, host) };
    }

    private static void Scale(long[] layers, int first, int end, long planned, long exact)
    {
        for (int i = first; planned > 0 && i < Math.Min(end, layers.Length); i++)
        {
            layers[i] = (long)Math.Ceiling(layers[i] * (double)exact / planned);
        }
    }

    // Returns a plan with the sizes of llama.cpp's allocator.
    private PlacementPlan Measure(PlacementProblem problem, PlacementPlan plan)
    {
        using ModelLoader loader = ModelLoader.Prepare(_path, _machine.Options.WithPlan(plan));
        MemoryBreakdown truth = ContextEstimate.Make(loader, _context.With(plan.Context), embeds: false);
        Dictionary<string, long> adapters = AdapterBytes(loader);
        PlannedMemory[] memory =
        [
            .. plan.Memory.Select((planned, i) =>
            {
                MemoryUse? use = truth.Devices.FirstOrDefault(use => use.Device == planned.Device);
                long other = adapters.GetValueOrDefault(planned.Device)
                    + (planned.Device == DeviceTotal.Host ? MemoryCosts.OtherBytes(problem.Model, plan.Context) : 0);
                return planned with
                {
                    WeightBytes = use?.WeightBytes ?? 0,
                    ContextBytes = use?.ContextBytes ?? 0,
                    ComputeBytes = use?.ComputeBytes ?? 0,
                    OtherBytes = other,
                    FreeBytes = i < problem.Devices.Count ? problem.Devices[i].FreeBytes : problem.HostBytes,
                };
            }),
        ];
        (string Device, long Bytes)[] lacking = [.. LayerLayout.FindShortages(problem, memory)];
        return plan with
        {
            Memory = memory,
            IsExact = true,
            Fits = lacking.Length == 0,
            Lacking = lacking,
            Shortage = lacking.Length == 0 ? null : PlacementPlanner.Describe(lacking),
        };
    }

    private Dictionary<string, long> AdapterBytes(ModelLoader loader)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        if (_fit.Adapters.Count == 0)
        {
            return bytes;
        }

        using NativeModel native = loader.Simulate();
        PlacementReport placement = loader.Report(native);
        foreach (string path in _fit.Adapters)
        {
            foreach ((string device, long size) in AdapterMemory.ByDevice(GgufFile.Open(path), placement))
            {
                bytes[device] = bytes.GetValueOrDefault(device) + size;
            }
        }

        return bytes;
    }

    // The tensors of an adapter are where those are that they change.
    private static IEnumerable<PlacementTensor> AdapterTensors(string path) => GgufFile.Open(path).Tensors.Select(tensor => new PlacementTensor(tensor.Name, tensor.ByteCount));

    // On a machine that is not here, compute buffers are those of the CPU, which computes the same graph.
    private MemoryCosts CostsElsewhere(PlacementProblem problem, bool expertsOffloaded)
    {
        var costs = MemoryCosts.Estimate(problem, expertsOffloaded);
        ContextOptions context = _context.With(problem.Context) with { MicroBatchSize = problem.Context.MicroBatch(expertsOffloaded) };
        using ModelLoader loader = PrepareUnplaced();
        MemoryUse truth = ContextEstimate.Make(loader, context, embeds: false).Total;
        long staging = costs.DeviceComputeBytes.Select(bytes => Math.Max(0, bytes - costs.HostComputeBytes)).DefaultIfEmpty().Max();
        long[] layers = [.. costs.LayerContextBytes];
        Scale(layers, 0, layers.Length, layers.Sum(), truth.ContextBytes);
        return costs with
        {
            LayerContextBytes = layers,
            DeviceComputeBytes = [.. problem.Devices.Select(_ => truth.ComputeBytes + staging)],
            HostComputeBytes = truth.ComputeBytes,
        };
    }

    // The draft model is loaded with the same options, beside the model.
    private PlacementProblem WithoutDraft(PlacementProblem problem)
    {
        if (_fit.DraftModelPath is not { } path)
        {
            return problem;
        }

        using ModelLoader loader = ModelLoader.Prepare(path, _machine.Options.ForDraft() with { UnmatchedRules = UnmatchedRuleAction.Warn });
        return Without(problem, ContextEstimate.Make(loader, _context.With(problem.Context).ForDraft(problem.Context.Length), embeds: false));
    }

    // The projector is beside the model, on its first GPU. On a machine that is not here, all of it counts for the first device.
    private IReadOnlyList<MemoryUse> ProjectorMemory()
    {
        using ModelLoader loader = PrepareUnplaced();
        IReadOnlyList<MemoryUse> uses = ContextEstimate.ProjectorMemory(loader);
        return _machine is { IsHere: false, Options.ProjectorOnDevice: true, Devices: [var first, ..] }
            ? [.. uses.Select(use => use with { Buffer = first.Name, Device = first.Name, IsHost = false })]
            : uses;
    }

    private static PlacementProblem WithoutProjector(IReadOnlyList<MemoryUse> projector, PlacementProblem problem) =>
        projector.Count == 0 ? problem : Without(problem, new MemoryBreakdown(projector, contextLength: 0));

    // The rules of a machine that is not here can name devices that are not here.
    private ModelLoader PrepareUnplaced() => ModelLoader.Prepare(
        _path, _machine.Options with { Placement = TensorPlacement.Default, GpuLayers = null, TensorSplit = null, Experts = null });

    private static PlacementProblem Without(PlacementProblem problem, MemoryBreakdown other)
    {
        long Of(string device) => other.Devices.FirstOrDefault(use => use.Device == device)?.TotalBytes ?? 0;
        long host = Of(DeviceTotal.Host) + problem.Devices.Where(device => device.SharesHostMemory).Sum(device => Of(device.Name));
        return problem with
        {
            Devices = [.. problem.Devices.Select(device => device with { FreeBytes = Math.Max(0, device.FreeBytes - Of(device.Name)) })],
            HostBytes = Math.Max(0, problem.HostBytes - host),
        };
    }
}

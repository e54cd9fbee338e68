namespace MoeOffload.Placement;

/// <summary>Represents the sizes of a model by layer, apart from the tensors that the user's rules place.</summary>
internal sealed class LayerTable
{
    private const int NotPinned = -1;
    private const int PinnedToHost = -2;

    private readonly int[] _partsBelow;
    private readonly long[] _partSums;

    public LayerTable(PlacementProblem problem)
    {
        PlacementModel model = problem.Model;
        OutputLayer = model.LayerCount;
        DenseBytes = new long[OutputLayer + 1];
        PinnedBytes = new long[problem.Devices.Count];
        long total = model.ExpertCount > 0 ? model.ExpertCount : 1;
        long used = Math.Clamp(model.ExpertUsedCount, 1, total);
        (ExpertWeight, DenseWeight) = model.ExpertCount > 0 ? (used, total) : (1, 1);
        var parts = new Dictionary<(int Layer, string Kind), long>();
        foreach (PlacementTensor tensor in model.Tensors)
        {
            bool isExpert = ExpertTensors.IsExpert(tensor.Name) && TensorNames.LayerOf(tensor.Name) is not null;
            Weight += WeightOf(tensor, isExpert);
            int pin = Pin(problem, tensor.Name);
            if (pin != NotPinned)
            {
                AddPinned(pin, tensor, isExpert);
            }
            else if (isExpert)
            {
                (int, string) key = (TensorNames.LayerOf(tensor.Name)!.Value, ExpertPart.KindOf(tensor.Name));
                parts[key] = parts.GetValueOrDefault(key) + tensor.Bytes;
            }
            else if (TensorNames.LayerOf(tensor.Name) is { } layer)
            {
                DenseBytes[Math.Min(layer, OutputLayer)] += tensor.Bytes;
            }
            else if (TensorNames.GroupOf(tensor.Name) == TensorGroup.Embedding)
            {
                HostBytes += tensor.Bytes;
            }
            else
            {
                DenseBytes[OutputLayer] += tensor.Bytes;
            }
        }

        ShareEmbeddings(problem);
        Parts = [.. parts.Select(part => new ExpertPart(part.Key.Layer, part.Key.Kind, part.Value)).OrderByDescending(part => part.Layer).ThenBy(part => part.Order)];
        _partSums = new long[Parts.Count + 1];
        for (int i = 0; i < Parts.Count; i++)
        {
            _partSums[i + 1] = _partSums[i] + Parts[i].Bytes;
        }

        _partsBelow = [.. Enumerable.Range(0, OutputLayer + 2).Select(layer => Parts.TakeWhile(part => part.Layer >= layer).Count())];
    }

    /// <summary>Gets the number of the output layer, which comes after all others.</summary>
    public int OutputLayer { get; }

    /// <summary>Gets the size of everything except experts in each layer, in bytes.</summary>
    public long[] DenseBytes { get; }

    /// <summary>Gets the size of the output matrix that a device copies from the embeddings if the file has none of its own, in bytes.</summary>
    public long SharedOutputBytes { get; private set; }

    /// <summary>Gets the size of the tensors that are in system memory in any case, in bytes.</summary>
    public long HostBytes { get; private set; }

    /// <summary>Gets the part of <see cref="HostBytes"/> that holds experts, in bytes.</summary>
    public long HostExpertBytes { get; private set; }

    /// <summary>Gets the size of the tensors that the user's rules place on each device, in bytes.</summary>
    public long[] PinnedBytes { get; }

    /// <summary>Gets the weighted bytes of the tensors that the user's rules place on devices.</summary>
    public long PinnedWeight { get; private set; }

    /// <summary>Gets the experts' parts, late layers first.</summary>
    public IReadOnlyList<ExpertPart> Parts { get; }

    /// <summary>Gets the factor by which bytes of experts count: a token reads the experts that it uses only.</summary>
    public long ExpertWeight { get; }

    /// <summary>Gets the factor by which all other bytes count.</summary>
    public long DenseWeight { get; }

    /// <summary>Gets the weighted bytes of all tensors.</summary>
    public long Weight { get; private set; }

    /// <summary>Gets the position of the first part that belongs to a layer below a certain one.</summary>
    public int PartsFrom(int layer) => _partsBelow[layer];

    /// <summary>Gets the size of a range of parts, in bytes.</summary>
    public long PartBytes(int from, int to) => _partSums[to] - _partSums[from];

    /// <summary>Gets the position behind the last part that fits, if parts are placed one after the other.</summary>
    public int LastFitting(int from, int to, long bytes)
    {
        int at = Array.BinarySearch(_partSums, from, to - from + 1, _partSums[from] + bytes);
        if (at >= 0)
        {
            // Parts without bytes of their own, which the user's rules place, come along.
            while (at < to && _partSums[at + 1] == _partSums[at])
            {
                at++;
            }

            return at;
        }

        return ~at - 1;
    }

    private static int Pin(PlacementProblem problem, string tensor)
    {
        if (problem.Placement.RuleFor(tensor) is not { } rule)
        {
            return NotPinned;
        }

        string buffer = problem.Placement.Rules[rule].Buffer;
        for (int i = 0; i < problem.Devices.Count; i++)
        {
            if (problem.Devices[i].Buffer == buffer)
            {
                return i;
            }
        }

        return PinnedToHost;
    }

    private void AddPinned(int pin, PlacementTensor tensor, bool isExpert)
    {
        if (pin == PinnedToHost)
        {
            HostBytes += tensor.Bytes;
            HostExpertBytes += isExpert ? tensor.Bytes : 0;
            return;
        }

        PinnedBytes[pin] += tensor.Bytes;
        PinnedWeight += WeightOf(tensor, isExpert);
    }

    // Of the embeddings, a token reads one row.
    private long WeightOf(PlacementTensor tensor, bool isExpert) =>
        isExpert ? tensor.Bytes * ExpertWeight
        : TensorNames.GroupOf(tensor.Name) == TensorGroup.Embedding ? 0
        : tensor.Bytes * DenseWeight;

    // As in llama.cpp, a device gets a copy of the embeddings for the output layer. In system memory, both are the same.
    private void ShareEmbeddings(PlacementProblem problem)
    {
        IReadOnlyList<PlacementTensor> tensors = problem.Model.Tensors;
        if (!tensors.Any(tensor => tensor.Name == "output.weight") && tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight") is { } shared
            && Pin(problem, "token_embd.weight") == NotPinned)
        {
            SharedOutputBytes = shared.Bytes;
            Weight += shared.Bytes * DenseWeight;
        }
    }
}

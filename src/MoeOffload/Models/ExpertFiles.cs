using System.Globalization;
using MoeOffload.Gguf;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Models;

/// <summary>Finds the experts of a model that stay in its files, and checks that the limit of their memory suffices.</summary>
internal static class ExpertFiles
{
    /// <summary>Prepares the experts that no placement rule puts on a device.</summary>
    /// <param name="files">The model's files.</param>
    /// <param name="options">The options for loading, with <see cref="ModelOptions.Experts"/>.</param>
    /// <param name="bufferOf">Gets the buffer of the placement rule that applies to a tensor, or <see langword="null"/> if none does.</param>
    /// <param name="patterns">The patterns of the tensors.</param>
    /// <exception cref="PlacementException">The model has no such experts, or the limit is too low.</exception>
    /// <exception cref="ModelLoadException">A file cannot be opened.</exception>
    public static ExpertStoreHandle Prepare(GgufModelFiles files, ModelOptions options, Func<string, string?> bufferOf, out string[] patterns)
    {
        GgufTensorInfo[] experts = [.. files.Tensors.Where(tensor => RoutedExperts.IsRouted(tensor) && bufferOf(tensor.Name) is null or "CPU")];
        if (experts.Length == 0)
        {
            throw new PlacementException(
                files.Tensors.Any(RoutedExperts.IsRouted)
                    ? $"ModelOptions.Experts is set, but the placement rules put all experts of '{files.Path}' into other buffers than CPU. Leave one of both out."
                    : $"ModelOptions.Experts is set, but '{files.Path}' has no routed experts. Leave it out.");
        }

        long limit = options.Experts!.HostBytes;
        long least = RoutedExperts.LeastBytes(
            experts, Math.Max(1, Hyperparameters.FindInteger(files.Metadata, options.MetadataOverrides, "expert_used_count") ?? 1));
        if (limit < least)
        {
            throw new PlacementException(string.Create(
                CultureInfo.InvariantCulture,
                $"The limit of ModelOptions.Experts is {limit:N0} bytes, but the experts that one token uses in a layer of '{files.Path}' take {least:N0} bytes. Set at least this limit; more of it makes generation faster."));
        }

        patterns = [.. experts.GroupBy(tensor => TensorNames.WithoutLayer(tensor.Name)).Select(group =>
            ExpertTensors.PatternOf(group.Key, [.. group.Select(Layer).Order()]))];
        return ExpertStoreHandle.Create(
            [.. files.Parts.Select(part => part.Path!)],
            [.. experts.Select(tensor => new NativeExpertTensor(
                tensor.Name, tensor.Part, files.Parts[tensor.Part].DataOffset + tensor.Offset, tensor.ByteCount, Layer(tensor), (int)tensor.GetDimension(2)))],
            limit);
    }

    private static int Layer(GgufTensorInfo tensor) => TensorNames.LayerOf(tensor.Name)!.Value;
}

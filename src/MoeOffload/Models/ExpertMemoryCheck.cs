using System.Globalization;

namespace MoeOffload.Models;

/// <summary>
/// Refuses limits for the memory of experts that exceed what is available. The memory is taken when experts are used, long after the model
/// was loaded, when the system could only end the process.
/// </summary>
internal static class ExpertMemoryCheck
{
    /// <summary>Compares the memory that experts can take with the available memory.</summary>
    /// <param name="path">The path of the model.</param>
    /// <param name="limitBytes">The limit, in bytes.</param>
    /// <param name="expertBytes">The size of all experts, in bytes.</param>
    /// <param name="availableBytes">The available system memory, in bytes.</param>
    /// <exception cref="ModelLoadException">The memory does not suffice.</exception>
    public static void Check(string path, long limitBytes, long expertBytes, long availableBytes)
    {
        long needed = Math.Min(limitBytes, expertBytes);
        if (needed > availableBytes)
        {
            const double Mebibyte = 1 << 20;
            throw new ModelLoadException(string.Create(
                CultureInfo.InvariantCulture,
                $"ModelOptions.Experts allows {needed / Mebibyte:N0} MiB for the experts of '{path}', but {availableBytes / Mebibyte:N0} MiB of system memory are available. Set a lower limit; 'moe fit' and MoeModel.Fit find one that fits."));
        }
    }
}

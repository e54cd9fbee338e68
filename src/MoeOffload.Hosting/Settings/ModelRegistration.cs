using Microsoft.Extensions.Options;

namespace MoeOffload.Hosting.Settings;

/// <summary>Represents a model that was added to the services.</summary>
/// <param name="Key">The key of its services, or <see langword="null"/> for the services without a key.</param>
internal sealed record ModelRegistration(string? Key)
{
    /// <summary>The section with the options of the model without a key.</summary>
    public const string Section = "MoeOffload";

    /// <summary>The key in this section that has the sections of the models with keys.</summary>
    public const string KeyedSections = "Models";

    /// <summary>Gets the name of the model's options.</summary>
    public string OptionsName => Key ?? Options.DefaultName;

    /// <summary>Gets the section of the configuration that has the model's options.</summary>
    public string SectionPath => PathOf(OptionsName);

    /// <summary>Gets the section that has the options with a name.</summary>
    public static string PathOf(string? optionsName) => string.IsNullOrEmpty(optionsName) ? Section : $"{Section}:{KeyedSections}:{optionsName}";
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using MoeOffload.Shared;

namespace MoeOffload.Hosting.Settings;

/// <summary>
/// Reads the options of a model from the configuration. Each value is checked by itself, so that all errors are found, and each is attributed
/// to its key. The validation of the options reports them.
/// </summary>
/// <param name="configuration">The configuration, or <see langword="null"/> if the application has none.</param>
/// <param name="registrations">The models that were added to the services.</param>
internal sealed class ModelConfiguration(IConfiguration? configuration, IEnumerable<ModelRegistration> registrations) : IConfigureNamedOptions<HostedModelOptions>
{
    public void Configure(HostedModelOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HostedModelOptions options)
    {
        IConfigurationSection? section = configuration?.GetSection(ModelRegistration.PathOf(name));
        if (section is null)
        {
            return;
        }

        foreach (Setting setting in SettingTable.All)
        {
            IConfigurationSection value = section.GetSection(setting.Key);
            if (value.Exists())
            {
                Apply(setting, value, options);
            }
        }

        foreach ((string one, string other) in SettingTable.Exclusive)
        {
            if (section.GetSection(one).Exists() && section.GetSection(other).Exists())
            {
                options.Faults.Add($"{section.Path}:{one} and {section.Path}:{other} cannot be combined: remove one of them.");
            }
        }

        foreach (IConfigurationSection child in section.GetChildren())
        {
            CheckKey(child, isRoot: string.IsNullOrEmpty(name), options);
        }

        if (name == registrations.FirstOrDefault()?.OptionsName)
        {
            CheckModels(options);
        }
    }

    private static void Apply(Setting setting, IConfigurationSection value, HostedModelOptions options)
    {
        var before = new HostedModelOptions();
        before.Set(options);
        try
        {
            setting.Apply(options, new SettingValue(value));
            ModelValidation.Check(options);
            return;
        }
        catch (FormatException error)
        {
            options.Faults.Add(value.Value is null ? $"{value.Path} is not valid: use {error.Message}." : $"{value.Path} is '{value.Value}': use {error.Message}.");
        }
        catch (Exception error) when (error is ArgumentException or PlacementException or IOException or UnauthorizedAccessException)
        {
            options.Faults.Add($"{value.Path}{(value.Value is { } text ? $" is '{text}'" : string.Empty)}: {ModelValidation.Describe(error)}");
        }

        options.Set(before);
    }

    private static void CheckKey(IConfigurationSection child, bool isRoot, HostedModelOptions options)
    {
        if (SettingTable.All.Any(setting => setting.Key.Equals(child.Key, StringComparison.OrdinalIgnoreCase))
            || (isRoot && child.Key.Equals(ModelRegistration.KeyedSections, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        string option = $"--{child.Key.TrimStart('-')}";
        Setting? same = SettingTable.All.FirstOrDefault(setting => option.Equals(setting.Option, StringComparison.OrdinalIgnoreCase));
        string near = same?.Key ?? NearNames.Of(child.Key, SettingTable.All.Select(setting => setting.Key)).First().Name;
        options.Faults.Add($"{child.Path} is not a key: remove it, or use {near} if that is what you mean.");
    }

    // A section of a model that was not added would be ignored silently.
    private void CheckModels(HostedModelOptions options)
    {
        foreach (IConfigurationSection section in configuration!.GetSection($"{ModelRegistration.Section}:{ModelRegistration.KeyedSections}").GetChildren())
        {
            if (!registrations.Any(registration => section.Key.Equals(registration.Key, StringComparison.OrdinalIgnoreCase)))
            {
                options.Faults.Add($"{section.Path} belongs to no model of the application: call AddKeyedMoeOffload(\"{section.Key}\"), or remove the section.");
            }
        }

        if (registrations.All(registration => registration.Key is not null))
        {
            foreach (IConfigurationSection child in configuration.GetSection(ModelRegistration.Section).GetChildren()
                .Where(child => !child.Key.Equals(ModelRegistration.KeyedSections, StringComparison.OrdinalIgnoreCase)))
            {
                options.Faults.Add($"{child.Path} belongs to a model without a key, which the application does not have: call AddMoeOffload(), or remove it.");
            }
        }
    }
}

namespace MoeOffload.Hosting.Settings;

/// <summary>Represents a key of the configuration.</summary>
/// <param name="Key">The key.</param>
/// <param name="Option">The option of the command that does the same, or <see langword="null"/> if there is none.</param>
/// <param name="Apply">Sets the value in the options.</param>
internal sealed record Setting(string Key, string? Option, Action<HostedModelOptions, SettingValue> Apply);

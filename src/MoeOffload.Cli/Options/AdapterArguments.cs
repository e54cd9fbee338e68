using System.CommandLine;
using System.Globalization;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options for LoRA adapters, with llama.cpp's names.</summary>
internal sealed class AdapterArguments
{
    private readonly Option<string[]> _plain = Opt.Texts("PATH,…", "LoRA adapters that change the model; can be repeated", "--lora");
    private readonly Option<string[]> _scaled = Opt.Texts("PATH:SCALE,…", "LoRA adapters, each with the factor of its changes; can be repeated", "--lora-scaled");

    public void AddTo(Command command)
    {
        command.Options.Add(_plain);
        command.Options.Add(_scaled);
        Opt.Check(_scaled, list => Split(list).All(item => Parse(item) is not null), "PATH:SCALE with a number as the scale, such as style.gguf:0.5");
    }

    /// <summary>Reads the adapters in the order of the options.</summary>
    public IReadOnlyList<AdapterFile> Read(ParseResult parsed) =>
    [
        .. (parsed.GetValue(_plain) ?? []).SelectMany(Split).Select(path => new AdapterFile(path)),
        .. (parsed.GetValue(_scaled) ?? []).SelectMany(Split).Select(item => Parse(item)!.Value),
    ];

    // The path of a file can have a comma.
    private static string[] Split(string list) => File.Exists(list)
        ? [list]
        : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static AdapterFile? Parse(string item)
    {
        int colon = item.LastIndexOf(':');
        return colon > 0 && float.TryParse(item.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float scale) && float.IsFinite(scale)
            ? new AdapterFile(item[..colon], scale)
            : null;
    }
}

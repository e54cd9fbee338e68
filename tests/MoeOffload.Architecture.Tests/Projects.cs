using MoeOffload.Architecture.Tests.Reading;

namespace MoeOffload.Architecture.Tests;

/// <summary>The projects of this repository as they were compiled.</summary>
internal static class Projects
{
    /// <summary>The folder that the generated signatures count as.</summary>
    public const string Bindings = "bindings/Generated";

    private const string Command = "MoeOffload.Cli";

    /// <summary>Reads a project's assembly.</summary>
    public static SourceAssembly Read(string project) => SourceAssembly.Read(
        Path.Combine(AppContext.BaseDirectory, (project == Command ? "moe" : project) + ".dll"),
        new Dictionary<string, string>
        {
            [$"/src/{project}/"] = string.Empty,
            [$"/tests/{project}/"] = string.Empty,
            ["/src/Shared/"] = "Shared",
            ["/bindings/Generated/"] = Bindings,
        });
}

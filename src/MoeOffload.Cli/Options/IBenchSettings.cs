using System.CommandLine;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of one benchmark.</summary>
internal interface IBenchSettings
{
    /// <summary>The options.</summary>
    IEnumerable<Option> Options { get; }

    /// <summary>Creates the benchmark that the command line asks for.</summary>
    /// <param name="subject">What the benchmark measures.</param>
    /// <param name="parsed">The command line.</param>
    IBench Make(BenchSubject subject, ParseResult parsed);
}

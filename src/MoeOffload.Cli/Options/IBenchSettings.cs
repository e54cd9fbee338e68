using System.CommandLine;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>The options of one bench.</summary>
internal interface IBenchSettings
{
    /// <summary>The options.</summary>
    IEnumerable<Option> Options { get; }

    /// <summary>Makes the bench that the command line asks for.</summary>
    /// <param name="subject">What it measures.</param>
    /// <param name="parsed">The command line.</param>
    IBench Make(BenchSubject subject, ParseResult parsed);
}

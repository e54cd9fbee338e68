using MoeOffload.Server.Validation;

namespace MoeOffload.Server;

/// <summary>Represents the defaults of requests and the options for logging them.</summary>
public sealed class RequestDefaults
{
    /// <summary>Gets or sets the model for requests that do not name one. The default is <see langword="null"/>: such requests fail.</summary>
    public string? DefaultModel { get; set; }

    /// <summary>Gets or sets the sampling options for requests that do not specify them. The defaults are those of llama.cpp.</summary>
    public SamplingOptions Sampling { get; set; } = new();

    /// <summary>Gets or sets the interval at which a streaming request that waits for a model receives the progress of loading. The default is one second.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets a value that indicates whether prompts and answers are logged, at level Debug. The default is <see langword="false"/>.</summary>
    public bool LogPrompts { get; set; }

    internal void Validate(OptionFaults faults, string name)
    {
        if (faults.Require(Sampling, $"{name}.{nameof(Sampling)}"))
        {
            faults.Run(Sampling.Validate, $"{name}.{nameof(Sampling)}");
        }

        faults.RequireTimeLimit(ProgressInterval, $"{name}.{nameof(ProgressInterval)}");
    }
}

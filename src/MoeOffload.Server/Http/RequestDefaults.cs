namespace MoeOffload.Server;

/// <summary>Represents what applies to requests that do not say otherwise, and what is logged of them.</summary>
public sealed class RequestDefaults
{
    /// <summary>Gets or sets the model of requests that name none. The default is null: such a request is an error.</summary>
    public string? DefaultModel { get; set; }

    /// <summary>Gets or sets how tokens are chosen for requests that do not say. The defaults are those of llama.cpp.</summary>
    public SamplingOptions Sampling { get; set; } = new();

    /// <summary>Gets or sets how often a request that waits for a model is told how far the load is. The default is one second.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets whether prompts and answers are logged, at level Debug. The default is <see langword="false"/>.</summary>
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

using Microsoft.Extensions.Options;
using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>Checks all groups of <see cref="MoeServerOptions"/>, and reports everything that is wrong at once.</summary>
internal sealed class MoeServerOptionsValidator : IValidateOptions<MoeServerOptions>
{
    public ValidateOptionsResult Validate(string? name, MoeServerOptions options)
    {
        var faults = new OptionFaults();
        options.Models.Validate(faults, nameof(options.Models));
        options.Requests.Validate(faults, nameof(options.Requests));
        options.Limits.Validate(faults, nameof(options.Limits));
        options.Access.Validate(faults, nameof(options.Access));
        return faults.Messages.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Messages);
    }
}

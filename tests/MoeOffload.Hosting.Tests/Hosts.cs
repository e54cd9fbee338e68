using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MoeOffload.Hosting.Tests;

/// <summary>Creates the builders of real hosts with a configuration in memory.</summary>
internal static class Hosts
{
    public static HostApplicationBuilder Builder(HostLog log, params (string Key, string Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton<ILoggerProvider>(log);
        return builder;
    }
}

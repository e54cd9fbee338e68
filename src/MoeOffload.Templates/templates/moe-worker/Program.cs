using MoeOffload.Hosting;
using MoeWorker;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddMoeOffload(); // its options are in the section "MoeOffload" of appsettings.json
builder.Services.AddHostedService<Worker>();
builder.Build().Run();

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using MoeOffload.Diagnostics;

namespace MoeOffload.Tests.Telemetry;

/// <summary>Listens to the library's meter, for one model.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Measured> _all = new();
    private readonly string _model;

    public Measurements(string model)
    {
        _model = model;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MoeTelemetry.MeterName)
            {
                Instruments[instrument.Name] = instrument;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public ConcurrentDictionary<string, Instrument> Instruments { get; } = new();

    public IReadOnlyList<Measured> Of(string name) => [.. _all.Where(measured => measured.Name == name)];

    public void Observe() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var read = new Dictionary<string, object?>(tags.ToArray());
        if (Equals(read.GetValueOrDefault("gen_ai.request.model"), _model))
        {
            _all.Enqueue(new Measured(instrument.Name, value, read));
        }
    }

    internal sealed record Measured(string Name, double Value, IReadOnlyDictionary<string, object?> Tags);
}

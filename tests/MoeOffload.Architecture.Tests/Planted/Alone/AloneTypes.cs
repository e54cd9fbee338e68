using MoeOffload.Architecture.Tests.Planted.Lower;

namespace MoeOffload.Architecture.Tests.Planted.Alone;

/// <summary>Refers to a folder of the planted cycle, which does not refer back.</summary>
internal sealed class AloneThing
{
    public LowerThing? Lower { get; set; }
}

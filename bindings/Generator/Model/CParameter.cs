namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A parameter of a function; the name is empty where the header gives none.</summary>
internal sealed record CParameter(string Name, CType Type, string Doc);

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A typedef and the type that it names.</summary>
internal sealed record CTypedef(string Name, CType Target, CDoc Doc);

namespace MoeOffload.Bindings.Generator.Model;

/// <summary>A member of an enum with its evaluated value.</summary>
internal sealed record CEnumMember(string Name, long Value, CDoc Doc);

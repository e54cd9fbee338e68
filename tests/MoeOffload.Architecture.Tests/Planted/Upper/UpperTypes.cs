using MoeOffload.Architecture.Tests.Planted.Lower;

namespace MoeOffload.Architecture.Tests.Planted.Upper;

internal enum UpperEnumeration
{
    Value,
}

internal interface IUpper
{
    LowerThing Thing { get; }
}

internal delegate void UpperDelegate();

internal struct UpperStruct
{
    public int Value { get; set; }
}

internal class UpperClass
{
    public static int Number() => 3;
}

internal sealed class UpperException : Exception;

[AttributeUsage(AttributeTargets.All)]
internal sealed class UpperAttribute : Attribute;
